# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden bundles: sealed by two JOSE libraries, and bad ones of every kind.

The bad ones, most of which no library would make, follow RFC 7518's own words (section 5.2) over
`cryptography`. Every initialisation vector is made up, so that the file can be made again.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from unittest import mock

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import OctKey
from jwcrypto import jwe as jwcrypto_jwe
from jwcrypto import jwk as jwcrypto_jwk

from tests.wire.configurations import FULL, SMALL, WITHOUT_WIFI, changed, sized
from tests.wire.labels import LONGEST_ID, derived

DEVICE_ID = "PRESS-4"
SECRET = bytes(range(20))
REISSUED_SECRET = bytes(range(20, 40))
MADE_AT = 1795400000
EXPIRES_AT = MADE_AT + 30 * 86400
VERSION = FULL["version"]
CONFIG = changed(SMALL, "version", VERSION)
LONGEST = 6144  # characters; white space does not count
_IV = bytes(range(0x40, 0x50))


def compact(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def plaintext(config: Any = CONFIG, exp: int | None = EXPIRES_AT, time: int = MADE_AT) -> str:
    return compact({"v": 1, "time": time, "exp": exp, "config": config})


def header(device_id: str = DEVICE_ID, **changes: Any) -> str:
    members = {"alg": "dir", "enc": "A128CBC-HS256", "kid": device_id} | changes
    return compact({name: value for name, value in members.items() if value is not None})


def bundle_key(device_id: str = DEVICE_ID, secret: bytes = SECRET) -> bytes:
    return derived(secret, "bundle-key", device_id)


def base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_jwcrypto(key: bytes, protected: str, content: str) -> str:
    """Sealed by jwcrypto."""
    token = jwcrypto_jwe.JWE(content.encode(), protected=protected)
    with mock.patch("os.urandom", lambda size: _IV[:size]):
        token.add_recipient(jwcrypto_jwk.JWK(kty="oct", k=base64url(key)))
    return str(token.serialize(compact=True))


def by_joserfc(key: bytes, protected: str, content: str) -> str:
    """Sealed by joserfc, which writes the header in its own way."""
    with mock.patch("secrets.token_bytes", lambda size: _IV[:size]):
        return joserfc_jwe.encrypt_compact(
            json.loads(protected),
            content.encode(),
            OctKey.import_key(key),
            algorithms=["dir", "A128CBC-HS256"],
        )


def padded(content: bytes) -> bytes:
    missing = 16 - len(content) % 16
    return content + bytes([missing]) * missing


def sealed(
    key: bytes, protected: str, content: bytes, iv: bytes = _IV, encrypted_key: str = ""
) -> str:
    """Sealed as RFC 7518 section 5.2.2.1 says. `content` is padded already, rightly or not;
    `protected` is encoded already."""
    encryptor = Cipher(algorithms.AES128(key[16:]), modes.CBC(_IV)).encryptor()
    ciphertext = encryptor.update(content) + encryptor.finalize()
    size = (len(protected) * 8).to_bytes(8, "big")
    tag = hmac.new(key[:16], protected.encode() + iv + ciphertext + size, hashlib.sha256).digest()
    parts = (protected, encrypted_key, base64url(iv), base64url(ciphertext), base64url(tag[:16]))
    return ".".join(parts)


def made(content: str | None = None, protected: str | None = None, secret: bytes = SECRET) -> str:
    """A bundle in the usual form but for what is given."""
    chosen = header() if protected is None else protected
    text = plaintext() if content is None else content
    return sealed(bundle_key(secret=secret), base64url(chosen.encode()), padded(text.encode()))


def _case(name: str, bundle: str, **more: Any) -> dict[str, Any]:
    usual = {
        "name": name,
        "valid": True,
        "device_id": DEVICE_ID,
        "secret_hex": SECRET.hex(),
        "highest": VERSION - 1,
        "now": MADE_AT + 60,
        "bundle": bundle,
    }
    return usual | more


def _bad(name: str, bundle: str, path: str, **more: Any) -> dict[str, Any]:
    codes = {"tag": "server_untrusted", "kid": "server_untrusted"}
    codes["config.version"] = "config_not_newer"
    return _case(
        name,
        bundle,
        valid=False,
        **({"code": codes.get(path, "config_invalid")} | more),
        path=path,
    )


def _good() -> list[dict[str, Any]]:
    key = bundle_key()
    largest = plaintext(changed(sized(4096), "version", VERSION))
    long_name = header(LONGEST_ID)
    texts = {
        "of-jwcrypto": by_jwcrypto(key, header(), plaintext()),
        "of-joserfc": by_joserfc(key, header(), plaintext()),
        "of-the-words-of-the-rfc": made(),
        "full-of-jwcrypto": by_jwcrypto(key, header(), plaintext(FULL)),
        "full-of-joserfc": by_joserfc(key, header(), plaintext(FULL)),
    }
    members = '{ "kid" : "PRESS-4",\n "enc" : "A128CBC-HS256", "alg" : "dir" }'
    expired = plaintext(exp=MADE_AT + 1)
    without_wifi = plaintext(changed(WITHOUT_WIFI, "version", VERSION))
    wrapped = "\r\n".join(made()[at : at + 64] for at in range(0, len(made()), 64)) + "\n"
    return [
        *(_case(name, text, plaintext=_open(text)) for name, text in texts.items()),
        _case("of-4096-bytes", by_jwcrypto(key, header(), largest), plaintext=largest),
        _case(
            "for-the-longest-id",
            by_joserfc(bundle_key(LONGEST_ID), long_name, plaintext()),
            device_id=LONGEST_ID,
            plaintext=plaintext(),
        ),
        _case("header-in-another-order", made(protected=members), plaintext=plaintext()),
        _case("white-space-does-not-count", wrapped, plaintext=plaintext()),
        _case("without-wifi", made(without_wifi), plaintext=without_wifi),
        _case("without-expiry", made(plaintext(exp=None)), plaintext=plaintext(exp=None)),
        _case("expired-but-nobody-knows-the-time", made(expired), now=None, plaintext=expired),
        _case(
            "unknown-fields-are-ignored",
            made(compact(json.loads(plaintext()) | {"later": [1]})),
            plaintext=compact(json.loads(plaintext()) | {"later": [1]}),
        ),
    ]


def _open(text: str) -> str:
    """Open a bundle with jwcrypto: a second opinion on the other maker's bundle."""
    token = jwcrypto_jwe.JWE()
    token.deserialize(text, key=jwcrypto_jwk.JWK(kty="oct", k=base64url(bundle_key())))
    content: bytes = token.payload
    return content.decode()


def flipped(bundle: str, part: int, at: int) -> str:
    """One bit of one part's bytes is another one; the encoding stays right."""
    parts = bundle.split(".")
    text = parts[part]
    raw = bytearray(_decoded(text))
    raw[at] ^= 1
    parts[part] = base64url(bytes(raw))
    return ".".join(parts)


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _loose(bundle: str, part: int) -> str:
    """The bits that the last character has to spare are not zero: other text, same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts = bundle.split(".")
    text = parts[part]
    assert len(text) % 4, "this part has no bits to spare"
    changed_text = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
    assert _decoded(changed_text) == _decoded(text)
    parts[part] = changed_text
    return ".".join(parts)


def _resealed(encoded_header: str) -> str:
    """Right in every way under this very header, as it is written."""
    return sealed(bundle_key(), encoded_header, padded(plaintext().encode()))


def _misshapen() -> list[dict[str, Any]]:
    good = made()
    parts = good.split(".")
    key, head = bundle_key(), parts[0]
    content = padded(plaintext().encode())
    spaces = plaintext() + " " * LONGEST
    # of three lengths of ciphertext that follow each other, two leave bits to spare
    spare = next(b for n in range(48) if len((b := made(plaintext() + " " * n)).split(".")[3]) % 4)
    with_sign = next(
        b for n in range(999) if set("-_") & set(b := made(plaintext(time=MADE_AT - n)))
    )
    texts = {
        "empty": "",
        "one-character": "e",
        "garbage": "not a bundle at all, but words",
        "only-a-header": head,
        "four-parts": ".".join(parts[:4]),
        "six-parts": good + ".AAAA",
        "unsecured-jws": base64url(b'{"alg":"none"}') + "." + base64url(b"{}") + ".",
        "cut-in-the-middle": good[: len(good) // 2],
        "without-its-last-character": good[:-1],
        "without-its-first-character": good[1:],
        "with-an-encrypted-key": sealed(key, head, content, encrypted_key="AAAA"),
        "vector-of-12-bytes": sealed(key, head, content, iv=_IV[:12]),
        "vector-empty": ".".join([head, "", "", parts[3], parts[4]]),
        "ciphertext-empty": ".".join([*parts[:3], "", parts[4]]),
        "ciphertext-of-no-whole-block": ".".join(
            [*parts[:3], base64url(_decoded(parts[3])[:-1]), parts[4]]
        ),
        "tag-of-32-bytes": ".".join([*parts[:4], base64url(bytes(32))]),
        "tag-empty": ".".join([*parts[:4], ""]),
        "header-with-loose-bits": _resealed(
            _loose(made(protected=header() + " "), 0).split(".")[0]
        ),
        "vector-with-loose-bits": _loose(good, 2),
        "ciphertext-with-loose-bits": _loose(spare, 3),
        "tag-with-loose-bits": _loose(good, 4),
        "header-with-padding": _resealed(head + "="),
        "tag-with-padding": good + "==",
        "in-the-other-alphabet": with_sign.replace("-", "+").replace("_", "/"),
        "not-ascii": good[:-1] + "é",
        "nul-inside": good[:200] + "\0" + good[201:],
        "longer-than-allowed": made(spaces),
        "padding-of-zero": sealed(key, head, content[:-16] + bytes(16)),
        "padding-of-seventeen": sealed(key, head, content[:-16] + bytes([17]) * 16),
        "padding-that-differs": sealed(key, head, content[:-16] + bytes(14) + b"\x02\x03"),
    }
    return [_bad(name, text, "bundle") for name, text in texts.items()]


def _wrong_headers() -> list[dict[str, Any]]:
    headers = {
        "alg-none": header(alg="none"),
        "alg-rsa": header(alg="RSA-OAEP"),
        "alg-a128kw": header(alg="A128KW"),
        "alg-missing": header(alg=None),
        "alg-is-a-list": header(alg=["dir"]),
        "enc-a128gcm": header(enc="A128GCM"),
        "enc-a256cbc": header(enc="A256CBC-HS512"),
        "enc-missing": header(enc=None),
        "kid-missing": header(kid=None),
        "kid-is-a-number": header(kid=4),
        "compressed": header(zip="DEF"),
        "critical": header(crit=["exp"], exp=1),
        "typ": header(typ="JWE"),
        "header-is-a-list": '["dir","A128CBC-HS256","PRESS-4"]',
        "header-is-not-json": '{"alg":"dir"',
        "header-is-empty": "",
    }
    with_key = sealed(
        bundle_key(),
        base64url(header(alg="RSA-OAEP").encode()),
        padded(plaintext().encode()),
        encrypted_key=base64url(bytes(range(256))),
    )
    return [
        *(_bad(name, made(protected=text), "header") for name, text in headers.items()),
        _bad("alg-rsa-with-its-key", with_key, "header"),
    ]


def _not_ours() -> list[dict[str, Any]]:
    good = made()
    last = len(_decoded(good.split(".")[3])) - 1
    other = sealed(
        bundle_key("PRESS-5"), base64url(header("PRESS-5").encode()), padded(plaintext().encode())
    )
    at = header().index("4")
    return [
        _bad("of-another-device", other, "kid"),
        _bad("bit-flipped-in-the-header", flipped(good, 0, at), "kid"),
        _bad("of-another-device-said-to-be-ours", made(secret=bytes(20)), "tag"),
        _bad("of-the-label-before-it-was-reissued", good, "tag", secret_hex=REISSUED_SECRET.hex()),
        _bad("bit-flipped-in-the-vector", flipped(good, 2, 0), "tag"),
        _bad("bit-flipped-in-the-first-block", flipped(good, 3, 0), "tag"),
        _bad("bit-flipped-in-the-last-block", flipped(good, 3, last), "tag"),
        _bad("bit-flipped-in-the-tag", flipped(good, 4, 15), "tag"),
        _bad("a-block-left-out", ".".join(_without_a_block(good.split("."))), "tag"),
        _bad("tag-of-zeros", good.rpartition(".")[0] + "." + base64url(bytes(16)), "tag"),
    ]


def _without_a_block(parts: list[str]) -> list[str]:
    return [*parts[:3], base64url(_decoded(parts[3])[:-16]), parts[4]]


def _wrong_contents() -> list[dict[str, Any]]:
    document = json.loads(plaintext())
    no_ssid = changed(document, "config.networks.0.ssid", "")
    no_networks = changed(document, "config.networks", [])
    contents = (
        ("content-is-not-json", '{"v":1', "bundle"),
        ("content-is-a-list", "[]", "bundle"),
        ("content-is-empty", "", "bundle"),
        ("v-of-the-future", compact(document | {"v": 2}), "v"),
        ("v-missing", compact({k: document[k] for k in document if k != "v"}), "v"),
        ("time-missing", compact({k: document[k] for k in document if k != "time"}), "time"),
        ("time-is-text", compact(document | {"time": "now"}), "time"),
        ("time-beyond-the-calendar", compact(document | {"time": 2**32}), "time"),
        ("exp-missing", compact({k: document[k] for k in document if k != "exp"}), "exp"),
        ("exp-is-text", compact(document | {"exp": "never"}), "exp"),
        ("exp-beyond-the-calendar", compact(document | {"exp": 10**40}), "exp"),
        ("config-missing", compact({k: document[k] for k in document if k != "config"}), "config"),
        ("config-is-null", compact(document | {"config": None}), "config"),
        ("config-without-networks", compact(no_networks), "config.networks"),
        ("config-with-an-empty-ssid", compact(no_ssid), "config.networks[0].ssid"),
        ("config-of-4097-bytes", plaintext(changed(sized(4097), "version", VERSION)), "config"),
        ("expired", plaintext(exp=MADE_AT + 30), "exp"),
    )
    return [
        *(_bad(name, made(content), path) for name, content, path in contents),
        _bad("content-is-not-utf-8", _of_bytes(b'{"v":1,"x":"\xff"}'), "bundle"),
        _bad("of-the-version-it-has", made(), "config.version", highest=VERSION),
        _bad("of-an-older-version", made(), "config.version", highest=VERSION + 4),
    ]


def _of_bytes(content: bytes) -> str:
    return sealed(bundle_key(), base64url(header().encode()), padded(content))


def document() -> dict[str, Any]:
    """All bundle cases."""
    return {
        "about": "Bundles as a device finds them: who it is, the highest version that it ever "
        "committed, and its time, null if nobody has told it. An invalid one names the outcome "
        "code and the part at fault: bundle (its form), header, kid, tag, or a field of its "
        "content.",
        "cases": [
            *_good(),
            *_misshapen(),
            *_wrong_headers(),
            *_not_ours(),
            *_wrong_contents(),
        ],
    }


def deliveries() -> dict[str, Any]:
    """A few of them by name, in a file that even a small board reads whole."""
    names = (
        "of-jwcrypto",
        "without-expiry",
        "without-wifi",
        "of-another-device",
        "config-with-an-empty-ssid",
    )
    texts = {case["name"]: case["bundle"] for case in document()["cases"]}
    return {
        "about": "Bundles of bundles.json for PRESS-4 with the counting secret, version 7.",
        "secret_hex": SECRET.hex(),
        "bundles": {name: texts[name] for name in names},
        "cases": [],
    }

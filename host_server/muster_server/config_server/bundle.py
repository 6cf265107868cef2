# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bundles and receipts: how a configuration is sealed for one device, and what acknowledges it.

A bundle is a JWE (RFC 7516) in compact form under the label's `bundle-key`. The only file that
knows the JOSE library, and loads it late: it takes 0.1 s, and most starts need no bundle.
"""

import hashlib
import hmac
import json
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from muster_server.document import Fields, compact_json, parse_json, wrong
from muster_server.errors import BundleRefused, Invalid, ReceiptRefused
from muster_server.label import Label, is_device_id, strange_character

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

# What a 4096-byte configuration needs, and some room for unknown fields.
LONGEST = 6144
RECEIPT_CHARACTERS = 8

# Between them every device can count: 2000 to 2106.
_EARLIEST, _LATEST = 946684800, 2**32 - 1
_HEADER = {"alg": "dir", "enc": "A128CBC-HS256"}
_PARTS = 5
_RECEIPT_BYTES = 5


@dataclass(frozen=True)
class Content:
    """The content of a bundle. The repr shows no configuration."""

    time: int
    exp: int | None
    config: dict[str, Any] = field(repr=False)


def sealed(label: Label, time: int, exp: int | None, config: dict[str, Any]) -> str:
    """A bundle for this label's device. Each call makes another text: a fresh vector is drawn."""
    from joserfc import jwe

    content = compact_json({"v": 1, "time": time, "exp": exp, "config": config}).encode()
    header = {**_HEADER, "kid": label.device_id}
    return jwe.encrypt_compact(header, content, _key(label), algorithms=list(_HEADER.values()))


def opened(label: Label, text: str) -> Content:
    """Return the bundle's content. Raises BundleRefused if this label's key did not seal it."""
    from joserfc import jwe
    from joserfc.errors import JoseError

    try:
        found = jwe.decrypt_compact(text, _key(label), algorithms=list(_HEADER.values()))
        fields = Fields(parse_json(found.plaintext or b""))
        if fields.integer("v") != 1:
            raise wrong("v", "only version 1 of a bundle's content is understood")
        has_end = fields.required("exp") is not None
        exp = fields.integer("exp", _EARLIEST, _LATEST) if has_end else None
        time = fields.integer("time", _EARLIEST, _LATEST)
        return Content(time, exp, fields.fields("config").document)
    except (JoseError, ValueError):
        raise BundleRefused(
            "the key of this device's label did not seal it, or it was changed since; was it made "
            "before the label was reissued?",
            path="tag",
        ) from None
    except Invalid as error:
        raise BundleRefused(error.detail, path=error.path) from None


def stripped(text: str) -> str:
    """The bundle without the white space that mail and editors put in."""
    return "".join(text.split())


def device_of(text: str) -> str:
    """The device that a bundle names in its header, before anything is proved.

    BundleRefused says what about its form is wrong: path `bundle`, `header` or `kid`.
    """
    parts = text.split(".")
    if len(text) > LONGEST or len(parts) != _PARTS:
        raise BundleRefused(
            f"wanted {_PARTS} parts with dots between them and at most {LONGEST} characters, got "
            f"{len(parts)} and {len(text)}; was all of it copied?",
            path="bundle",
        )
    if not all(_is_base64url(part) for part in parts):
        raise BundleRefused(
            "a character is not of base64url, or one is missing; was it changed on its way?",
            path="bundle",
        )
    try:
        header = json.loads(_decoded(parts[0]))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or set(header) != {*_HEADER, "kid"}:
        raise BundleRefused("wanted a header with alg, enc and kid, and no more", path="header")
    if any(header[name] != wanted for name, wanted in _HEADER.items()):
        wanted = ", ".join(f"{name} {value}" for name, value in _HEADER.items())
        raise BundleRefused(
            f"it was sealed in a way that devices refuse: wanted {wanted}", path="header"
        )
    if not isinstance(header["kid"], str) or not is_device_id(header["kid"]):
        raise BundleRefused("it names no device", path="kid")
    return str(header["kid"])


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a bundle's text, which its receipt is about."""
    return hashlib.sha256(text.encode()).digest()


def receipt(key: bytes, version: int, outcome: str, digest: bytes) -> str:
    """The eight characters that the device shows after it has tried the bundle; `key` is the
    label's `receipt-key`.
    """
    message = b"\0".join([b"receipt/1", str(version).encode(), outcome.encode(), digest])
    mac = hmac.new(key, message, hashlib.sha256).digest()
    return b32encode(mac[:_RECEIPT_BYTES]).decode()


def typed_receipt(text: str) -> str:
    """The receipt as it was typed: small letters, blanks and hyphens do no harm.

    ReceiptRefused if it cannot be one.
    """
    receipt = "".join(text.split()).replace("-", "").upper()
    strange = strange_character(receipt)
    if strange is not None:
        number, hint = strange
        raise ReceiptRefused(f"character {number} cannot occur in a receipt{hint}", path="receipt")
    if len(receipt) != RECEIPT_CHARACTERS:
        raise ReceiptRefused(
            f"a receipt has {RECEIPT_CHARACTERS} characters, and {len(receipt)} were given",
            path="receipt",
        )
    return receipt


def _key(label: Label) -> "OctKey":
    from joserfc.jwk import OctKey

    return OctKey.import_key(label.key("bundle-key"))


def _is_base64url(text: str) -> bool:
    # The decoder is lenient: encode again and compare.
    try:
        return urlsafe_b64encode(_decoded(text)).rstrip(b"=").decode() == text
    except ValueError:
        return False


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden labels, worked out from design.md's words with hashlib and hmac alone."""

import hashlib
import hmac
from base64 import b32encode
from typing import Any

LONGEST_ID = "A0.B1-C2.D3-E4.F5-G6.H7-I8.J9-KZ"  # 32 characters
LONGEST = 512  # characters of a text in which a label is looked for
PURPOSES = ("sync-psk", "bundle-key", "receipt-key", "setup-ap")
ADOPTION = bytes(range(100, 132))


def derived(secret: bytes, purpose: str, device_id: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) with one block of output, which 32 bytes are."""
    prk = hmac.new(b"muster/1", secret, hashlib.sha256).digest()
    info = purpose.encode() + b"\0" + device_id.encode()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def printed(device_id: str, secret: bytes) -> str:
    """The QR text: 32 characters of secret, then 4 that check them."""
    check = b32encode(hashlib.sha256(device_id.encode() + secret).digest())[:4]
    return f"MUSTER:1:{device_id}:{(b32encode(secret) + check).decode()}"


def groups_of(code: str) -> list[str]:
    """The 36 characters as they are printed: in groups of four."""
    return [code[n : n + 4] for n in range(0, len(code), 4)]


def setup_passphrase(device_id: str, secret: bytes) -> str:
    return b32encode(derived(secret, "setup-ap", device_id)[:10]).decode()


def _valid(name: str, device_id: str, secret: bytes) -> dict[str, Any]:
    keys = {purpose: derived(secret, purpose, device_id) for purpose in PURPOSES}
    return {
        "name": name,
        "valid": True,
        "device_id": device_id,
        "secret_hex": secret.hex(),
        "label": printed(device_id, secret),
        "setup_passphrase": setup_passphrase(device_id, secret),
        "keys": {purpose: key.hex() for purpose, key in keys.items()},
        "adoption_hex": ADOPTION.hex(),
        "adopted_psk": derived(secret + ADOPTION, "adopted-psk", device_id).hex(),
    }


def document() -> dict[str, Any]:
    """All label cases."""
    secret = bytes(range(20))
    good = printed("PRESS-4", secret)
    return {
        "about": "Labels and the keys that follow from them; `typed`, if there, is how somebody "
        "brings one. An invalid one names the part at fault: format, device_id, secret or check.",
        "cases": [
            _valid("counting-secret", "PRESS-4", secret),
            _valid("one-character-id", "A", hashlib.sha256(b"one").digest()[:20]),
            _valid(
                "thirty-two-characters-of-id", "A0.B1-C2.D3-E4.F5-G6.H7-I8.J9-KZ", b"\xff" * 20
            ),
            _valid("secret-of-zeros", "0", bytes(20)),
            *_typed(good, secret),
            *_invalid(good, secret),
        ],
    }


def _typed(good: str, secret: bytes) -> list[dict[str, Any]]:
    """The same label as people and phones bring it: `typed` is what has to be read."""
    head, code = good.rsplit(":", 1)
    groups = groups_of(code)
    table = (
        ("in-small-letters", good.lower()),
        ("in-both-cases", "Muster:1:Press-4:" + code.capitalize()),
        ("in-groups-with-blanks", f"{head}:{' '.join(groups)}"),
        ("in-groups-with-two-blanks", f"{head}:{'  '.join(groups)}"),
        ("in-groups-with-hyphens", f"{head}:{'-'.join(groups)}"),
        ("in-groups-with-tabs", f"{head}:" + "\t".join(groups)),
        ("in-groups-with-blanks-that-do-not-break", f"{head}:" + "\u00a0".join(groups)),
        ("in-groups-over-two-lines", f"{head}:{code[:16]}\r\n{code[16:]}"),
        ("with-blanks-beside-the-colons", good.replace(":", " : ")),
        ("with-a-line-end", good + "\n"),
        ("with-a-line-end-of-windows", good + "\r\n"),
        ("with-blanks-around-it", f"  \t{good} \n"),
        ("in-a-link", f"https://portal.example/add#{good}"),
        ("in-a-link-with-a-query", f"https://portal.example:8420/add?lang=de#{good}"),
        ("in-a-link-in-small-letters", f"https://portal.example/add#{good.lower()}"),
        ("as-a-fragment-alone", f"#{good}"),
        ("as-long-as-may-be", good.ljust(LONGEST)),
    )
    return [_valid(name, "PRESS-4", secret) | {"typed": typed} for name, typed in table]


def _invalid(good: str, secret: bytes) -> list[dict[str, Any]]:
    body = good.rsplit(":", 1)[1]
    swapped = good[:-9] + good[-8] + good[-9] + good[-7:]
    table = (
        ("empty-text", "", "format"),
        ("blanks-alone", " \n", "format"),
        ("longer-than-may-be", good.ljust(LONGEST + 1), "format"),
        ("link-without-a-label", "https://portal.example/add", "format"),
        ("link-with-an-empty-fragment", "https://portal.example/add#", "format"),
        ("link-with-the-label-in-its-path", "https://portal.example/" + good, "format"),
        ("link-with-the-label-in-its-query", "https://portal.example/?l=" + good, "format"),
        ("link-with-two-fragments", "https://portal.example/add#x#" + good, "format"),
        ("link-that-escapes-the-colons", "https://h/add#" + good.replace(":", "%3A"), "format"),
        ("byte-order-mark-first", "\ufeff" + good, "format"),
        ("quotation-marks-around-it", f'"{good}"', "format"),
        ("scheme-with-a-long-s", good.replace("MUSTER", "MU\u017fTER"), "format"),
        ("colons-of-full-width", good.replace(":", "\uff1a"), "format"),
        ("semicolons-for-colons", good.replace(":", ";"), "format"),
        ("version-zero", "MUSTER:0:PRESS-4:" + body, "format"),
        ("version-01", "MUSTER:01:PRESS-4:" + body, "format"),
        ("version-of-full-width", "MUSTER:\uff11:PRESS-4:" + body, "format"),
        ("version-missing", "MUSTER:PRESS-4:" + body, "format"),
        ("secret-in-the-version-s-place", f"MUSTER:{body}:PRESS-4:{body}", "format"),
        ("secret-alone", body, "format"),
        ("another-scheme", "OTHER:1:PRESS-4:" + body, "format"),
        ("later-version", "MUSTER:2:PRESS-4:" + body, "format"),
        ("without-secret", "MUSTER:1:PRESS-4", "format"),
        ("one-part-too-many", good + ":X", "format"),
        ("empty-id", "MUSTER:1::" + body, "device_id"),
        ("id-begins-with-a-hyphen", printed("-PRESS", secret), "device_id"),
        ("id-ends-with-a-dot", printed("PRESS.", secret), "device_id"),
        ("id-with-two-dots-together", printed("PRESS..4", secret), "device_id"),
        ("id-with-hyphen-and-dot-together", printed("P-.4", secret), "device_id"),
        ("id-with-a-slash", printed("PRESS/4", secret), "device_id"),
        ("id-with-an-underscore", printed("PRESS_4", secret), "device_id"),
        ("id-of-33-characters", printed("A" * 33, secret), "device_id"),
        ("id-with-a-dotless-i", f"MUSTER:1:PR\u0131NT:{body}", "device_id"),
        ("id-with-an-accent", f"MUSTER:1:PR\u00c9SS:{body}", "device_id"),
        ("id-with-a-sharp-s", f"MUSTER:1:PRE\u00df:{body}", "device_id"),
        ("id-with-a-hyphen-that-does-not-break", f"MUSTER:1:PRESS\u20114:{body}", "device_id"),
        ("secret-with-a-zero", good[:-10] + "0" + good[-9:], "secret"),
        ("secret-with-an-eight", good[:-10] + "8" + good[-9:], "secret"),
        ("secret-with-a-nine", good[:-10] + "9" + good[-9:], "secret"),
        ("secret-with-a-dotless-i", good[:-10] + "\u0131" + good[-9:], "secret"),
        ("secret-with-a-cyrillic-a", good.replace(":AAAQ", ":\u0410AAQ"), "secret"),
        ("secret-in-groups-with-dashes", good[:-4] + "\u2013" + good[-4:], "secret"),
        ("secret-with-a-blank-of-no-width", good[:-4] + "\u200b" + good[-4:], "secret"),
        ("secret-missing", "MUSTER:1:PRESS-4:", "secret"),
        ("secret-in-hexadecimal", "MUSTER:1:PRESS-4:" + secret.hex(), "secret"),
        ("secret-without-its-check", good[:-4], "secret"),
        ("secret-twice", good + body, "secret"),
        ("secret-one-character-short", good[:-1], "secret"),
        ("secret-one-character-long", good + "A", "secret"),
        ("secret-with-a-one", good[:-10] + "1" + good[-9:], "secret"),
        ("secret-with-padding", good[:-1] + "=", "secret"),
        ("one-character-of-the-secret-changed", good[:-10] + "7" + good[-9:], "check"),
        ("two-neighbours-swapped", swapped, "check"),
        ("one-check-character-changed", good[:-1] + "7", "check"),
        ("one-character-of-the-id-changed", good.replace("PRESS-4", "PRESS-5"), "check"),
    )
    return [
        {"name": name, "valid": False, "label": label, "path": path} for name, label, path in table
    ]

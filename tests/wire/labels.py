# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden labels, worked out from design.md's words with hashlib and hmac alone."""

import hashlib
import hmac
from base64 import b32encode
from typing import Any

LONGEST_ID = "A0.B1-C2.D3-E4.F5-G6.H7-I8.J9-KZ"  # 32 characters
PURPOSES = ("sync-psk", "bundle-key", "receipt-key", "setup-ap")


def derived(secret: bytes, purpose: str, device_id: str) -> bytes:
    """HKDF-SHA256 (RFC 5869) with one block of output, which 32 bytes are."""
    prk = hmac.new(b"muster/1", secret, hashlib.sha256).digest()
    info = purpose.encode() + b"\0" + device_id.encode()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def printed(device_id: str, secret: bytes) -> str:
    """The QR text: 32 characters of secret, then 4 that check them."""
    check = b32encode(hashlib.sha256(device_id.encode() + secret).digest())[:4]
    return f"MUSTER:1:{device_id}:{(b32encode(secret) + check).decode()}"


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
    }


def document() -> dict[str, Any]:
    """All label cases."""
    secret = bytes(range(20))
    good = printed("PRESS-4", secret)
    return {
        "about": "Labels and the keys that follow from them. An invalid one names the part at "
        "fault: format, device_id, secret or check.",
        "cases": [
            _valid("counting-secret", "PRESS-4", secret),
            _valid("one-character-id", "A", hashlib.sha256(b"one").digest()[:20]),
            _valid(
                "thirty-two-characters-of-id", "A0.B1-C2.D3-E4.F5-G6.H7-I8.J9-KZ", b"\xff" * 20
            ),
            _valid("secret-of-zeros", "0", bytes(20)),
            *_invalid(good, secret),
        ],
    }


def _invalid(good: str, secret: bytes) -> list[dict[str, Any]]:
    body = good.rsplit(":", 1)[1]
    swapped = good[:-9] + good[-8] + good[-9] + good[-7:]
    table = (
        ("empty-text", "", "format"),
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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden receipts, from docs/protocol.md's words with hashlib and hmac alone."""

import hashlib
import hmac
from base64 import b32encode
from typing import Any

from tests.wire.bundles import DEVICE_ID, REISSUED_SECRET, SECRET, VERSION, made, plaintext
from tests.wire.labels import LONGEST_ID, derived


def receipt(device_id: str, secret: bytes, version: int, outcome: str, bundle: str) -> str:
    """Eight characters, as design and docs/protocol.md say it."""
    digest = hashlib.sha256(bundle.encode()).digest()
    message = b"\0".join([b"receipt/1", str(version).encode(), outcome.encode(), digest])
    key = derived(secret, "receipt-key", device_id)
    return b32encode(hmac.new(key, message, hashlib.sha256).digest()[:5]).decode()


def document() -> dict[str, Any]:
    """All receipt cases."""
    bundle = made()
    other = made(plaintext(exp=None))
    ours = {
        "device_id": DEVICE_ID,
        "secret_hex": SECRET.hex(),
        "version": VERSION,
        "outcome": "ok",
        "bundle": bundle,
    }
    longest = ours | {"device_id": LONGEST_ID, "version": 123456789, "outcome": "wifi_auth"}

    def right(case: dict[str, Any]) -> str:
        secret = bytes.fromhex(case["secret_hex"])
        return receipt(case["device_id"], secret, case["version"], case["outcome"], case["bundle"])

    def good(name: str, case: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "valid": True} | case | {"receipt": right(case)}

    def wrong(name: str, **changes: Any) -> dict[str, Any]:
        return {"name": name, "valid": False} | ours | {"receipt": right(ours | changes)}

    true = right(ours)
    typo = true[:3] + ("A" if true[3] != "A" else "B") + true[4:]
    return {
        "about": "Receipts: what a device shows after it has tried a bundle. An invalid one "
        "proves something else than what its case says.",
        "cases": [
            good("applied", ours),
            good("failed", ours | {"outcome": "platform_unreachable"}),
            good("of-another-bundle-of-this-version", ours | {"bundle": other}),
            good("of-a-long-id-and-version", longest),
            wrong("of-another-device", device_id="PRESS-5"),
            wrong("of-another-version", version=VERSION + 1),
            wrong("of-a-failure", outcome="wifi_auth"),
            wrong("of-another-bundle", bundle=other),
            wrong("of-the-label-before-it-was-reissued", secret_hex=REISSUED_SECRET.hex()),
            {"name": "one-wrong-character", "valid": False} | ours | {"receipt": typo},
        ],
    }

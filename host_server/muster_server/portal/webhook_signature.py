# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Signatures of webhooks (Standard Webhooks 1.0.0): HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac

PREFIX = "whsec_"
SECRET_BYTES = 32  # the specification wants 24 to 64


def secret_text(secret: bytes) -> str:
    """Return the secret as its receiver configures it, e.g. "whsec_MfKQ9r8G…"."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(secret: bytes, message_id: str, at: int, body: bytes) -> list[tuple[str, str]]:
    """Return the headers that prove who sent the body, and when (Unix seconds)."""
    signed = f"{message_id}.{at}.".encode() + body
    mark = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", f"v1,{mark}"),
    ]

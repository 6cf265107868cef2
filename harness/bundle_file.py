# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bundles as files: read on this host, and laid where a device looks for them at its start.

This host cannot open one. It sees its form, and in the header, which is public, whose it is.
"""

import base64
import json
import sys
from pathlib import Path

from harness.errors import BundleRefused, HarnessError
from harness.repl import REPL
from harness.sending import send

LONGEST = 6144  # characters


def read_bundle(path: str | Path) -> str:
    """A bundle's text without the white space that does not count; "-" is standard input.

    Raises BundleRefused if it is none, HarnessError if it cannot be read.
    """
    try:
        raw = sys.stdin.read() if str(path) == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise HarnessError(f"{path} cannot be read: {e}") from None
    text = "".join(raw.split())
    if len(text) > LONGEST:
        raise _refused(f"{path} has {len(text)} characters; a bundle has at most {LONGEST}")
    device_of(text)
    return text


def device_of(text: str) -> str:
    """Whose bundle it says to be. Raises BundleRefused if it does not look like one."""
    head = text.partition(".")[0]
    try:
        if text.count(".") != 4 or not text.isascii():
            raise ValueError("a bundle has five parts")
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        device_id = header["kid"]
    except (ValueError, KeyError, TypeError):
        raise _refused(
            "this is no bundle: five parts of base64url, the first names a device"
        ) from None
    if not isinstance(device_id, str) or not device_id.replace("-", "").replace(".", "").isalnum():
        raise _refused("its header names no device")
    return device_id


def put_bundle(repl: REPL, text: str) -> None:
    """Lay it where the device finds it at its next start, and verifies it then."""
    send(repl, {f"/{device_of(text)}.muster": text.encode()})


def _refused(reason: str) -> BundleRefused:
    return BundleRefused("config_invalid", reason)

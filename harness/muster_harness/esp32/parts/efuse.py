# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The chip's fuses: its factory address."""

import contextlib
import os
from pathlib import Path

from muster_harness.errors import HarnessError

_MAC_BYTES = 6


def factory_mac(path: Path) -> bytes:
    """Return the board's factory address, made once per directory; it is locally administered.

    Raises HarnessError for a file that holds no address.
    """
    if not path.exists():
        path.write_text((b"\x26\x6f\x28" + os.urandom(3)).hex())
    with contextlib.suppress(ValueError):
        mac = bytes.fromhex(path.read_text())
        if len(mac) == _MAC_BYTES:
            return mac
    raise HarnessError(f"{path} holds no MAC address; remove it to get a new one")

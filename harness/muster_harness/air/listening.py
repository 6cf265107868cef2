# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Looks whether a board listens at a port. The kernel is asked, so the board does not notice."""

import contextlib
import socket
import struct
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_LISTEN = "0A"  # include/net/tcp_states.h


def listens(address: str, port: int) -> bool:
    """Tell whether a socket of this host listens there, e.g. at ("127.81.3.2", 20080)."""
    (word,) = struct.unpack("=I", socket.inet_aton(address))  # as the kernel prints it
    wanted = f"{word:08X}:{port:04X}"
    with contextlib.suppress(OSError), _TABLE.open() as lines:
        return any(line.split()[1:4:2] == [wanted, _LISTEN] for line in lines)
    return False

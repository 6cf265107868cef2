# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The servers' knowledge, taken at one moment and put back at another, while they run.

All of it lies in their databases; SQLite's online backup reads and replaces those in a transaction
of its own. Their rate limits, which are bound to addresses, are not put back.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

_ROLES = ("config", "platform")
_BUSY_S = 10.0


class ServerState:
    """A copy of the servers' databases."""

    def __init__(self, data: Path):
        self._copies: dict[str, sqlite3.Connection] = {}
        for role in _ROLES:
            copy = sqlite3.connect(":memory:", check_same_thread=False)
            with closing(_opened(data, role)) as live:
                live.backup(copy)
            self._copies[role] = copy

    def put_back(self, data: Path) -> None:
        """Make this what the servers know. Nobody may be asking them meanwhile."""
        for role, copy in self._copies.items():
            with closing(_opened(data, role)) as live:
                copy.backup(live)

    def close(self) -> None:
        for copy in self._copies.values():
            copy.close()


def _opened(data: Path, role: str) -> sqlite3.Connection:
    return sqlite3.connect(data / f"{role}.sqlite", timeout=_BUSY_S)

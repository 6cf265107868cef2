# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The tokens of a data directory: one for each role's door, each rotated while servers run.

The portal's is its administrator's: only its hash is kept, and he is told it once. The others are
kept in files, for the server that comes to that door reads its token there.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from muster_server.private_files import read_private, write_once, write_private
from muster_server.tokens import checked, new_token, token_hash

# For so long after a rotation the former token of a service is good: a request may be on its way.
OVERLAP_S = 30.0


class KeptLine:
    """The line in a private file, read again whenever the file was replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._line = ""
        self.former: str | None = None
        self.replaced_at = 0.0  # Unix seconds

    def read(self) -> str:
        """Return the line as it is now. Raises SettingsError if others can read the file."""
        with self._lock:
            found = self.path.stat()
            seen = (found.st_ino, found.st_mtime_ns)
            if seen != self._seen:
                line = read_private(self.path)
                self.former = self._line if self._seen is not None else None
                self._line, self._seen, self.replaced_at = line, seen, found.st_mtime
            return self._line


class AdministratorToken:
    """The portal's door, for the administrator."""

    def __init__(self, data: Path) -> None:
        self._kept = KeptLine(data / "admin-token.sha256")

    def accepted(self) -> frozenset[str]:
        """Return the hash of the one token that opens it; a former one is not good any more."""
        return frozenset({self._kept.read()})

    def rotate(self) -> str:
        """Make another token, and keep its hash in place of the former: the token, told once."""
        token = new_token()
        write_private(self._kept.path, token_hash(token).encode() + b"\n")
        return token


class ServiceToken:
    """The door of the configuration server or the platform, for the server that comes there."""

    def __init__(self, data: Path, role: str, clock: Callable[[], float] = time.time) -> None:
        self._kept = KeptLine(data / f"{role}-token")
        self._clock = clock
        # The token that was checked last, with its hash: each request of another server asks.
        self._known: tuple[str, frozenset[str]] | None = None

    def current(self) -> str:
        """Return the token with which to come; made now if there is none yet."""
        return self._checked()[0]

    def _checked(self) -> tuple[str, frozenset[str]]:
        """Return the token as it is now, and its hash."""
        try:
            line = self._kept.read()
        except FileNotFoundError:
            write_once(self._kept.path, new_token())
            line = self._kept.read()
        known = self._known
        if known is None or known[0] != line:
            token = checked(line, str(self._kept.path))
            known = self._known = (token, frozenset({token_hash(token)}))
        return known

    def accepted(self) -> frozenset[str]:
        """Return the hashes of the tokens that open it."""
        _, hashes = self._checked()
        if self._kept.former is None:
            return hashes
        age_s = self._clock() - self._kept.replaced_at
        if 0 <= age_s < OVERLAP_S:
            hashes |= {token_hash(self._kept.former)}
        return hashes

    def rotate(self) -> Path:
        """Put another token in place of the former; the file that holds it."""
        write_private(self._kept.path, new_token().encode() + b"\n")
        return self._kept.path

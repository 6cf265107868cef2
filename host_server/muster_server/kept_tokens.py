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

    def current(self) -> str:
        """Return the token with which to come; made now if there is none yet."""
        if not self._kept.path.exists():
            write_once(self._kept.path, new_token())
        return checked(self._kept.read(), str(self._kept.path))

    def accepted(self) -> frozenset[str]:
        """Return the hashes of the tokens that open it."""
        hashes = frozenset({token_hash(self.current())})
        age_s = self._clock() - self._kept.replaced_at
        if self._kept.former is not None and 0 <= age_s < OVERLAP_S:
            hashes |= {token_hash(self._kept.former)}
        return hashes

    def rotate(self) -> Path:
        """Put another token in place of the former; the file that holds it."""
        write_private(self._kept.path, new_token().encode() + b"\n")
        return self._kept.path

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The file with the key of secrets at rest, which may be rotated while the server runs."""

import threading
import time
from pathlib import Path

from muster_server.private_files import read_private
from muster_server.store.secrets import SecretBox, decoded_keys

# A reader sees what was there when he began: for so long a key that has gone opens it.
_READERS_S = 60.0


class FileBox(SecretBox):
    """A box with the keys of a file, as they are at the time of each transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._held: list[bytes] = []
        self._gone_until: float | None = None
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if it was replaced.

        Raises SettingsError if it holds no keys, or if others can read it.
        """
        if self._gone_until is None and self._looked() == self._seen:
            return  # as in nearly all transactions
        with self._lock:
            seen = self._looked()
            if seen != self._seen:
                keys = decoded_keys(read_private(self._path), str(self._path))
                gone = [key for key in self._held if key not in keys]
                self._use(*keys, *gone)
                self._held, self._seen = keys, seen
                self._gone_until = time.monotonic() + _READERS_S if gone else None
            elif self._gone_until is not None and time.monotonic() > self._gone_until:
                self._use(*self._held)
                self._gone_until = None

    def _looked(self) -> tuple[int, int]:
        """Return what is another when the file was replaced."""
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns

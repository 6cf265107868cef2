# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The file with the key of secrets at rest, which may be rotated while the server runs."""

import threading
from pathlib import Path

from muster_server.private_files import read_private
from muster_server.store.secrets import SecretBox, decoded_keys


class FileBox(SecretBox):
    """A box with the keys of a file, as they are at the time of each transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self.refresh()

    def refresh(self) -> None:
        """Read the file again if it was replaced.

        Raises SettingsError if it holds no keys, or if others can read it.
        """
        with self._lock:
            found = self._path.stat()
            seen = (found.st_ino, found.st_mtime_ns)
            if seen != self._seen:
                self._use(*decoded_keys(read_private(self._path), str(self._path)))
                self._seen = seen

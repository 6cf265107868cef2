# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The flash chip: an image file, and the page through which the power can be cut inside it.

The board's block device (`shims/flash.py`) works on both files itself, because a round trip
per operation would make the flash slow. An operation is one erase of a block or one program.
"""

import fcntl
import os
import struct
from pathlib import Path
from typing import Literal

from harness.errors import HarnessError

BLOCK_BYTES = 4096
_HOW = {"before": 0, "torn": 1, "after": 2}
_PAGE = struct.Struct("<IIII")  # operations done, operation to cut at, how, bytes of a torn one


class Flash:
    """File descriptors for the interpreter, and the operation counter."""

    def __init__(self, path: Path, size_bytes: int):
        self._path = path
        self._size = size_bytes
        if not path.exists():
            self._blank(path)
        self.image_fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._claim(size_bytes)
        except BaseException:
            os.close(self.image_fd)
            raise
        self.page_fd = os.memfd_create("flash-page", os.MFD_CLOEXEC)
        os.ftruncate(self.page_fd, 4096)

    def _blank(self, path: Path) -> None:
        made = path.with_suffix(".new")
        made.touch(mode=0o600)
        made.write_bytes(b"\xff" * self._size)
        made.replace(path)

    def _claim(self, size_bytes: int) -> None:
        if os.fstat(self.image_fd).st_size != size_bytes:
            raise HarnessError(
                f"{self._path} does not have {size_bytes} bytes; remove it to start blank"
            )
        try:
            fcntl.flock(self.image_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HarnessError(
                f"{self._path} is in use by another board; give each board its own directory"
            ) from None

    def erase(self) -> None:
        """Erase the whole chip, as `esptool erase_flash` does."""
        os.pwrite(self.image_fd, b"\xff" * self._size, 0)

    @property
    def operations(self) -> int:
        """Erases and programs since the board was made."""
        return int(_PAGE.unpack(os.pread(self.page_fd, _PAGE.size, 0))[0])

    def cut_at(
        self, operation: int, how: Literal["before", "torn", "after"], torn_bytes: int
    ) -> None:
        """Cut the power at the n-th operation from now; 0 never."""
        done = self.operations
        cut = done + operation if operation else 0
        os.pwrite(self.page_fd, _PAGE.pack(done, cut, _HOW[how], torn_bytes)[4:], 4)

    def close(self) -> None:
        os.close(self.image_fd)
        os.close(self.page_fd)


def reopened(fd: int) -> int:
    """The same file with a position of its own: the interpreter seeks."""
    return os.open(f"/proc/self/fd/{fd}", fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE)

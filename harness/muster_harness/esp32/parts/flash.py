# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The flash chip: an image file, and the page through which the power can be cut inside it.

The board's block device (`shims/flash_chip.py`) works on both files itself, because a round trip
per operation would make the flash slow. An operation is one erase of a block, one program, or one
write of NVS, which lies on the same chip. While the page records, every operation is kept in it.
"""

import fcntl
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from muster_harness.errors import HarnessError

How = Literal["before", "torn", "after"]
Kind = Literal["program", "erase", "nvs"]

BLOCK_BYTES = 4096
_HOW: tuple[How, ...] = ("before", "torn", "after")
_KINDS: tuple[Kind, ...] = ("program", "erase", "nvs")
# operations done, operation to cut at, how, bytes of a torn one, end of the log (0: no log)
_PAGE = struct.Struct("<5I")
_END_AT = 16
_ENTRY = struct.Struct("<3I")  # kind, where it starts, how much data follows
_LOG_START = 4096


@dataclass(frozen=True)
class Operation:
    """One operation on the chip.

    `data` holds the programmed bytes, or all of NVS after a write.
    """

    kind: Kind
    start: int
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class FlashContent:
    """All content that a board keeps without power."""

    image: bytes = field(repr=False)
    nvs: bytes = field(repr=False)


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
        os.ftruncate(self.page_fd, _LOG_START)

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
        self.write(b"\xff" * self._size)

    def read(self) -> bytes:
        """Return the chip's content."""
        return os.pread(self.image_fd, self._size, 0)

    def write(self, image: bytes) -> None:
        """Put a whole image onto the chip, as `esptool write_flash` does.

        Raises HarnessError for an image of another size.
        """
        if len(image) != self._size:
            raise HarnessError(f"wanted an image of {self._size} bytes, got {len(image)}")
        os.pwrite(self.image_fd, image, 0)

    def flip(self, at: int, mask: int = 1) -> None:
        """Flip bits of one byte, as a cell does that has lost its charge.

        Raises HarnessError if the chip has no such byte, or a byte no such bits.
        """
        if not 0 <= at < self._size or not 0 < mask < 256:
            raise HarnessError(f"no byte {at} or no bits {mask:#x}; the chip has {self._size}")
        old = os.pread(self.image_fd, 1, at)[0]
        os.pwrite(self.image_fd, bytes([old ^ mask]), at)

    # -- operations

    @property
    def operations(self) -> int:
        """The number of erases, programs and writes of NVS since the board was made."""
        return self._page()[0]

    def cut_at(self, operation: int, how: How, torn_bytes: int) -> None:
        """Cut the power at the n-th operation from now; 0 takes the order back."""
        done = self.operations
        cut = done + operation if operation else 0
        page = _PAGE.pack(done, cut, _HOW.index(how), torn_bytes, 0)
        os.pwrite(self.page_fd, page[4:_END_AT], 4)

    def nvs_operation(self, content: bytes) -> How | None:
        """Count a write of NVS, and return how the power is to be cut in it, or None.

        The board waits for the supervisor meanwhile, so nobody else writes the page.
        """
        done, cut, how, torn, end = self._page()
        if end:
            entry = _ENTRY.pack(_KINDS.index("nvs"), 0, len(content)) + content
            end += os.pwrite(self.page_fd, entry, end)
        os.pwrite(self.page_fd, _PAGE.pack(done + 1, cut, how, torn, end), 0)
        return _HOW[how] if done + 1 == cut else None

    def record(self) -> None:
        """Keep every operation from now on, until `recorded`."""
        os.ftruncate(self.page_fd, _LOG_START)
        os.pwrite(self.page_fd, struct.pack("<I", _LOG_START), _END_AT)

    def recorded(self) -> list[Operation]:
        """Stop keeping operations, and return those that were kept."""
        end = self._page()[4]
        log = os.pread(self.page_fd, max(0, end - _LOG_START), _LOG_START)
        os.pwrite(self.page_fd, struct.pack("<I", 0), _END_AT)
        found = []
        at = 0
        while at < len(log):
            kind, start, length = _ENTRY.unpack_from(log, at)
            at += _ENTRY.size
            found.append(Operation(_KINDS[kind], start, log[at : at + length]))
            at += length
        return found

    def _page(self) -> tuple[int, ...]:
        return _PAGE.unpack(os.pread(self.page_fd, _PAGE.size, 0))

    def close(self) -> None:
        os.close(self.image_fd)
        os.close(self.page_fd)


def reopened(fd: int) -> int:
    """Open the same file with a position of its own: the interpreter seeks."""
    return os.open(f"/proc/self/fd/{fd}", fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE)

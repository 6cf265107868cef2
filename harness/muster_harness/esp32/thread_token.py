# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The right to run of a program with threads: a byte in a pipe, see shims/later/threads.py.

Nobody can take it from the main thread, or give it back to it, while that reads the console in C:
the supervisor does.
"""

import contextlib
import os
from pathlib import Path

# read(2) of file descriptor 0, as proc(5) shows a system call: x86-64, aarch64.
_READS_CONSOLE = ("0 0x0 ", "63 0x0 ")
_TOKEN = b"r"


class ThreadToken:
    """`fd` is for the interpreter, which closes with this object."""

    def __init__(self) -> None:
        read, write = os.pipe()
        try:
            self.fd = _reopened(read)
            self._fd = _reopened(read)
        finally:
            os.close(read)
            os.close(write)
        self._is_lent = False
        self.can_be_lent = True  # whether the main thread has it, or has lent it here

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._fd)

    def lend(self, pid: int) -> None:
        """Let other threads run if the main one waits for the console."""
        if self._is_lent or not self.can_be_lent:
            return
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/syscall").read_text().startswith(_READS_CONSOLE):
                self._is_lent = True
                os.write(self._fd, _TOKEN)

    def take_back(self) -> bool:
        """Tell whether the main thread may go on; another one may still have to come to a wait."""
        if self._is_lent:
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, 1)
                self._is_lent = False
        return not self._is_lent


def _reopened(pipe: int) -> int:
    return os.open(f"/proc/self/fd/{pipe}", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

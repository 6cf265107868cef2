# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board's serial port as the host sees it: a pty that stays while boards come and go."""

import contextlib
import os
import time
import tty
from collections.abc import Callable
from pathlib import Path

from muster_harness.loop import Loop, Timer

_BACKLOG = 65536
# With a full pty and nobody reading for so long, the port counts as closed: what a UART sends
# into a closed port is lost, and the board does not wait for it.
_UNHEARD_S = 0.25
# Who has it open and does not read so long either is not going to.
_STUCK_S = 5.0
_RETRY_S = 0.002
_RETRY_SILENT_S = 0.1


class SerialPort:
    """A pty. `path` is for mpremote and pyserial; their bytes go to `on_bytes`."""

    def __init__(self, loop: Loop, on_bytes: Callable[[bytes], None]):
        self._loop = loop
        self._on_bytes = on_bytes
        self._master, self._slave = os.openpty()
        # The slave stays open here, raw: otherwise the kernel resets its mode, with echo, each
        # time the last user closes it, and the master reads errors.
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        os.set_blocking(self._master, False)
        self._backlog = bytearray()
        self._retry: Timer | None = None
        self._progress = 0.0
        self._is_unheard = False
        self._reads = False
        self.resume()

    @property
    def is_full(self) -> bool:
        """True if somebody reads, but slowly, so that the board has to wait."""
        return len(self._backlog) >= _BACKLOG

    def write(self, data: bytes) -> None:
        if self._is_unheard:
            self._backlog.clear()
        if not self._backlog:
            self._progress = time.monotonic()
        self._backlog += data
        self._flush()

    def pause(self) -> None:
        """Take nothing from the host for now: the kernel keeps it."""
        if self._reads:
            self._loop.forget(self._master)
            self._reads = False

    def resume(self) -> None:
        if not self._reads:
            self._loop.on_ready(self._master, self._read)
            self._reads = True

    def close(self) -> None:
        self.pause()
        if self._retry is not None:
            self._retry.cancel()
        os.close(self._master)
        os.close(self._slave)

    def _read(self) -> None:
        self._on_bytes(os.read(self._master, 4096))

    def _flush(self) -> None:
        while self._backlog:
            try:
                sent = os.write(self._master, self._backlog[:4096])
            except BlockingIOError:
                break
            del self._backlog[:sent]
            self._progress = time.monotonic()
            self._is_unheard = False
        if not self._backlog:
            return
        if self._is_unheard:
            self._backlog.clear()
        elif self._retry is None:
            is_silent = time.monotonic() - self._progress > _UNHEARD_S
            delay_s = _RETRY_SILENT_S if is_silent else _RETRY_S
            self._retry = self._loop.later(delay_s, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        silent_s = time.monotonic() - self._progress
        if silent_s > _UNHEARD_S:
            self._is_unheard = silent_s > _STUCK_S or not self._is_open_elsewhere()
        self._flush()

    def _is_open_elsewhere(self) -> bool:
        """Tell whether anybody but this object has the slave open, as far as this user may see."""
        ours = Path(f"/proc/{os.getpid()}/fd/{self._slave}")
        for folder in Path("/proc").glob("[0-9]*/fd"):
            with contextlib.suppress(OSError):
                if any(fd != ours and _link(fd) == self.path for fd in folder.iterdir()):
                    return True
        return False


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""

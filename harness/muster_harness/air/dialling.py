# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes a TCP connection from an address of the air, without waiting for it."""

import errno
import socket
from collections.abc import Callable

from muster_harness.loop import Loop


class Dialling:
    """One attempt. `on_answer` gets the socket, and has to close it, or None and the errno.

    After `cancel` it is not called.
    """

    def __init__(
        self,
        loop: Loop,
        source: str,
        target: tuple[str, int],
        on_answer: Callable[[socket.socket | None, int], None],
    ):
        self._loop = loop
        self._on_answer = on_answer
        self._socket = socket.socket()
        self._socket.setblocking(False)
        result = self._begin(source, target)
        self._is_waiting = result == errno.EINPROGRESS  # for the loop to say that it is writable
        self._is_open = True
        if self._is_waiting:
            loop.on_ready(self._socket.fileno(), self._ready, writable=True)
        else:
            loop.later(0, lambda: self._finish(result))

    def cancel(self) -> None:
        if self._is_open:
            self._forget()
            self._is_open = False
            self._socket.close()

    def _begin(self, source: str, target: tuple[str, int]) -> int:
        try:
            self._socket.bind((source, 0))
            return self._socket.connect_ex(target)
        except OSError as e:
            return e.errno or errno.EIO
        except OverflowError:  # no such port
            return errno.EINVAL

    def _ready(self) -> None:
        self._forget()
        self._finish(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _forget(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._loop.forget(self._socket.fileno())

    def _finish(self, error: int) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if error:
            self._socket.close()
        self._on_answer(None if error else self._socket, error)

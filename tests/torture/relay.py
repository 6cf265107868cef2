# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Stands between a board and a server, and says when a reply is about to reach the board."""

import contextlib
import socket
import threading
from collections.abc import Callable

from tests.listener import Listener
from tests.system.middlemen import receive

_PATIENCE_S = 20.0


class Relay(Listener):
    """Carries each request to the true server and each reply back.

    `on_reply` is called with the request's path between the two, while the board waits.
    """

    def __init__(self, true: tuple[str, int], on_reply: Callable[[str], None]) -> None:
        self._true = true
        self._on_reply = on_reply
        self._busy = 0
        self._lock = threading.Lock()
        super().__init__(patience_s=_PATIENCE_S)

    @property
    def is_idle(self) -> bool:
        """True while no server works on anything that a board has asked."""
        return self._busy == 0

    def _take(self, device: socket.socket) -> None:
        threading.Thread(target=self._carry, args=[device], daemon=True).start()

    def _carry(self, device: socket.socket) -> None:
        # OSError: one of the two has gone, and with it the connection
        with device, contextlib.suppress(OSError):
            device.settimeout(_PATIENCE_S)
            while request := receive(device):
                with self._lock:
                    self._busy += 1
                try:
                    reply = self._asked(request)
                    if reply:
                        self._on_reply(request.split(b" ", 2)[1].decode())
                finally:
                    with self._lock:
                        self._busy -= 1
                if not reply:
                    return
                device.sendall(reply)

    def _asked(self, request: bytes) -> bytes:
        with socket.create_connection(self._true, _PATIENCE_S) as server:
            server.sendall(request)
            return receive(server)

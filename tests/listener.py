# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A TCP server of a test, in a thread of its own."""

import socket
import threading
from types import TracebackType
from typing import Self

_LOOK_S = 0.1


class Listener:
    """Serves from its making to the end of its block: each connection goes to `talk`, one after
    the other, and is closed then. `patience_s`: how long the end waits for the one under way."""

    def __init__(
        self, address: tuple[str, int] = ("127.0.0.1", 0), patience_s: float = 10
    ) -> None:
        self._patience_s = patience_s
        self._listener = socket.create_server(address)
        self._listener.settimeout(_LOOK_S)
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()
        return host, port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._thread.join(self._patience_s)
        self._listener.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        with connection:
            self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        raise NotImplementedError

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A listener that offers a board's line over TCP, to one client after the other.

It listens on loopback only: whoever can connect can do with the board what he likes.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from muster_harness.errors import PortError

LOOK_S = 0.1


class LoopbackPort:
    """Serves until `close`; a context manager. `url` is what pyserial opens.

    Raises PortError if it cannot listen.
    """

    def __init__(self, scheme: str, port: int, patience_s: float):
        self._is_open = True
        self._patience_s = patience_s
        if not 0 <= port < 65536:
            raise PortError(
                f"cannot listen on TCP port {port}; there are 1 to 65535, or 0 for any"
            )
        try:
            self._listener = socket.create_server(("127.0.0.1", port), backlog=1)
        except OSError as e:
            raise PortError(
                f"cannot listen on TCP port {port} ({e.strerror}); take another, or 0 for any"
            ) from None
        self._listener.settimeout(LOOK_S)
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name=self.url, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Turn the client away and stop listening."""
        self._is_open = False
        self._thread.join(self._patience_s)
        self._listener.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with client, contextlib.suppress(OSError):
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        """Pass on what both say until the client has gone or the port is closed."""
        raise NotImplementedError

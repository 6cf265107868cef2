# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Offers a line with modem lines over TCP, for rfc2217:// URLs: speed, DTR and RTS travel too.

The listener is on loopback only: whoever can connect can do with the board what he likes.
"""

import contextlib
import socket
import threading
from typing import Any

import serial.rfc2217

from muster_harness.errors import PortError

_LOOK_S = 0.1
_TURN_S = 0.001
_CHUNK = 4096


class _Sender:
    """The connection that pyserial's side of the protocol writes its answers to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):  # it has gone; reading says so
            self._connection.sendall(data)


class RFC2217Port:
    """Serves one client after the other, until `close`; a context manager.

    `line` is what pyserial has as an opened port. Raises PortError if it cannot listen.
    """

    def __init__(self, line: Any, port: int = 0):
        self._line = line
        self._is_open = True
        try:
            self._listener = socket.create_server(("127.0.0.1", port), backlog=1)
        except (OSError, OverflowError) as e:
            raise PortError(f"cannot listen on TCP port {port} ({e}); take another, or 0") from e
        self._listener.settimeout(_LOOK_S)
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name=self.url, daemon=True)
        self._thread.start()

    def __enter__(self) -> "RFC2217Port":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Turn the client away and stop listening."""
        self._is_open = False
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with client, contextlib.suppress(OSError):
                client.settimeout(_TURN_S)
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        sender = _Sender(client)
        # The stubs have the client's types where the server side takes any port and any stream.
        make: Any = serial.rfc2217.PortManager
        manager = make(self._line, sender)
        while self._is_open:
            if said := self._line.read(_CHUNK):
                sender.write(b"".join(manager.escape(said)))
            try:
                data = client.recv(_CHUNK)
            except TimeoutError:
                continue
            if not data:
                return
            self._line.write(b"".join(manager.filter(data)))

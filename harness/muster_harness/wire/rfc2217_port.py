# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Offers a line with modem lines over TCP, for rfc2217:// URLs: speed, DTR and RTS travel too."""

import contextlib
import socket
import threading
from typing import Any

import serial.rfc2217

from muster_harness.wire.loopback import LoopbackPort

_END_S = 5.0
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


class RFC2217Port(LoopbackPort):
    """Serves one client after the other, until `close`; a context manager.

    `line` is what pyserial has as an opened port. Raises PortError if it cannot listen.
    """

    def __init__(self, line: Any, port: int = 0):
        self._line = line
        super().__init__("rfc2217", port, _END_S)

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(_TURN_S)
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

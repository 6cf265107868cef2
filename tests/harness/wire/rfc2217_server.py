# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A serial port behind RFC 2217, with pyserial's own server side of that protocol."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import serial
import serial.rfc2217

from tests.listener import Listener

_PATIENCE_S = 5.0
_LOOK_S = 0.001


class _Sender:
    """The connection that PortManager writes its answers to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._connection.sendall(data)


class _Line(serial.Serial):
    """A pty has no modem lines; PortManager asks for all of them. RTS is wired to EN."""

    cts = dsr = cd = True
    ri = False
    reset: Callable[[], None] | None = None
    _is_held = False

    def _update_rts_state(self) -> None:
        if self._is_held and not self.rts and self.reset is not None:
            self.reset()
        self._is_held = self.rts

    def _update_dtr_state(self) -> None:
        pass


class RFC2217Server(Listener):
    """Serves one client after the other; `url` is what pyserial opens. `reset` is called for a
    pulse on RTS."""

    def __init__(
        self, port: str, line: Any = None, reset: Callable[[], None] | None = None
    ) -> None:
        """`line` stands where an opened serial port else would."""
        self._port = port
        self._given = line
        self._reset = reset
        super().__init__(patience_s=_PATIENCE_S)

    @property
    def url(self) -> str:
        return f"rfc2217://127.0.0.1:{self.address[1]}"

    def talk(self, connection: socket.socket) -> None:
        with self._given or _Line(self._port, timeout=0) as line:
            connection.settimeout(_LOOK_S)
            if self._reset is not None:
                line.rts = False
                line.reset = self._reset
            self._relay(connection, line)

    def _relay(self, connection: socket.socket, line: Any) -> None:
        sender = _Sender(connection)
        # The stubs have the client's types where the server side takes any port and any stream.
        make: Any = serial.rfc2217.PortManager
        manager = make(line, sender)
        while self._is_open:
            if said := line.read(4096):
                sender.write(b"".join(manager.escape(said)))
            try:
                data = connection.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            if not data:
                return
            line.write(b"".join(manager.filter(data)))

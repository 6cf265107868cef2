# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A serial port behind RFC 2217, with pyserial's own server side of that protocol."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import serial
import serial.rfc2217

_PATIENCE_S = 5.0
_LOOK_S = 0.001


class _Sender:
    """What PortManager writes its answers to."""

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


class RFC2217Server:
    """Serves one client after the other; `url` is what pyserial opens. `reset` is called for a
    pulse on RTS."""

    def __init__(
        self, port: str, line: Any = None, reset: Callable[[], None] | None = None
    ) -> None:
        """`line` stands where an opened serial port else would."""
        self._port = port
        self._given = line
        self._reset = reset
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_open = False
        self._thread.join(_PATIENCE_S)
        self._listener.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection, self._given or _Line(self._port, timeout=0) as line:
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

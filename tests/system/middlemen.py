# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Programs that stand between a device and a server: they drop replies, bend them, or say no."""

import contextlib
import socket
from collections.abc import Callable

from tests.listener import Listener

_PATIENCE_S = 10.0
_PIECE = 65536


class Middleman(Listener):
    """Takes one connection after the other and relays each request to the true server.

    `bend` sees each whole reply and returns what the device gets instead; None closes without a
    word. `count` says how many replies there have been.
    """

    def __init__(self, true: tuple[str, int], bend: Callable[[bytes], bytes | None]) -> None:
        self._true = true
        self._bend = bend
        self.count = 0
        super().__init__(patience_s=_PATIENCE_S)

    def talk(self, device: socket.socket) -> None:
        device.settimeout(_PATIENCE_S)
        with contextlib.suppress(OSError):  # the device has gone: the next connection
            self._relay(device)

    def _relay(self, device: socket.socket) -> None:
        while request := receive(device):
            with socket.create_connection(self._true, _PATIENCE_S) as server:
                server.sendall(request)
                reply = receive(server)
            self.count += 1
            bent = self._bend(reply)
            device.sendall(bent or b"")
            if bent != reply:
                return


def receive(stream: socket.socket) -> bytes:
    """One HTTP message with a Content-Length, or none; empty at the end of the stream."""
    message = b""
    while b"\r\n\r\n" not in message:
        piece = stream.recv(_PIECE)
        if not piece:
            return b""
        message += piece
    head, _, body = message.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = stream.recv(_PIECE)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Offers a serial port over TCP, for socket:// URLs: raw bytes, one client at a time."""

import errno
import fcntl
import os
import select
import socket
import termios
import time

from muster_harness.wire.loopback import LOOK_S, LoopbackPort

_SEND_S = 5.0
_CHUNK = 4096


class TCPPort(LoopbackPort):
    """A bridge from TCP to the port at `path`; a context manager.

    While a client is connected the bridge holds the port's lock, as mpremote would; while it or
    another program holds it, clients are turned away at once. Raises PortError if it cannot
    listen.
    """

    def __init__(self, path: str, port: int = 0):
        self._path = path
        super().__init__("socket", port, 2 * _SEND_S)

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(_SEND_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fd = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # What was said while nobody listened is not for this client.
            termios.tcflush(fd, termios.TCIFLUSH)
            while self._is_open and self._pass_on(client, fd):
                pass
        finally:
            os.close(fd)

    def _pass_on(self, client: socket.socket, fd: int) -> bool:
        ends = [client.fileno(), fd, self._listener.fileno()]
        ready, _, _ = select.select(ends, [], [], LOOK_S)
        if fd in ready:
            data = _read(fd)
            if not data:
                return False
            client.sendall(data)
        if client.fileno() in ready:
            data = client.recv(_CHUNK)
            if not data:
                return False
            return self._write(fd, data)
        if self._listener.fileno() in ready and not select.select(ends[:1], [], [], 0)[0]:
            # One at a time, and who comes second is told so. A client that has gone is readable.
            self._listener.accept()[0].close()
        return True

    def _write(self, fd: int, data: bytes) -> bool:
        """Write to the port; tell whether it took everything while somebody still wanted that."""
        end = time.monotonic() + _SEND_S
        while data and self._is_open:
            if select.select([], [fd], [], LOOK_S)[1]:
                data = data[os.write(fd, data) :]
                end = time.monotonic() + _SEND_S
            elif time.monotonic() > end:
                return False
        return self._is_open


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK)
    except OSError as e:
        if e.errno == errno.EIO:  # a pty whose other side is gone
            return b""
        raise

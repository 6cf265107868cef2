# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Offers a serial port over TCP, for socket:// URLs: raw bytes, one client at a time.

The bridge listens on loopback only: whoever can connect can do with the board what he likes.
"""

import contextlib
import errno
import fcntl
import os
import select
import socket
import termios
import threading
import time

from muster_harness.errors import PortError

_LOOK_S = 0.1
_SEND_S = 5.0
_CHUNK = 4096


class TCPPort:
    """A bridge from TCP to the port at `path`; a context manager.

    While a client is connected the bridge holds the port's lock, as mpremote would; while it or
    another program holds it, clients are turned away at once. Raises PortError if it cannot
    listen.
    """

    def __init__(self, path: str, port: int = 0):
        self._path = path
        self._is_open = True
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
        self._listener.settimeout(_LOOK_S)
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, name=self.url, daemon=True)
        self._thread.start()

    def __enter__(self) -> "TCPPort":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Turn the client away and stop listening."""
        self._is_open = False
        self._thread.join(2 * _SEND_S)
        self._listener.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            with client, contextlib.suppress(OSError):
                self._bridge(client)

    def _bridge(self, client: socket.socket) -> None:
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
        ready, _, _ = select.select(ends, [], [], _LOOK_S)
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
            if select.select([], [fd], [], _LOOK_S)[1]:
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

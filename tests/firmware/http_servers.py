# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Servers that say exactly what a test wants, and the device's HTTP client that asks them."""

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.firmware import interpreters
from tests.firmware.interpreters import ON_BOARD, PROJECT

Outcome = dict[str, Any]
Behaviour = Callable[[socket.socket, int], None]
OK = b"HTTP/1.1 200 OK\r\n"
BODY = "x" * 600  # more than the client's buffer


def ask(
    port: int, *requests: Outcome, host: str = "127.0.0.1", heap: str = "1M", **job: Any
) -> list[Outcome]:
    """Makes the requests on one connection of the device's client."""
    document = json.dumps({"host": host, "port": port, "requests": requests or [{}], **job})
    run = subprocess.run(
        [
            *interpreters.unix(),
            *("-X", f"heapsize={heap}"),
            *(str(ON_BOARD / "http_peer.py"), str(PROJECT / "firmware")),
        ],
        input=document + "\n",
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    *_, last = run.stdout.splitlines()  # what the client logs comes before
    outcomes: list[Outcome] = json.loads(last)
    return outcomes


@contextlib.contextmanager
def listening(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on loopback that treats its nth connection as behaviour(connection, n) does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for number in range(100):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                if context:
                    with context.wrap_socket(connection, server_side=True) as wrapped:
                        behaviour(wrapped, number)
                else:
                    behaviour(connection, number)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(15)


def heard(connection: socket.socket) -> bytes:
    """One request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(4096)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line[15:])
    while len(body) < length:
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body


def saying(*parts: bytes, pause_s: float = 0.0) -> Behaviour:
    """Hears one request, then says the parts and closes."""

    def behaviour(connection: socket.socket, number: int) -> None:
        heard(connection)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)

    return behaviour


def answer(*parts: bytes, pause_s: float = 0.0, **request: Any) -> Outcome:
    """Return the client's outcome with a server that says the parts."""
    with listening(saying(*parts, pause_s=pause_s)) as port:
        return ask(port, request)[0]

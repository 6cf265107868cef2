# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The internet, as far as the tests ask for it: micropython.org with its two ports, and a router
behind which nobody else answers."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from muster_harness import AccessPoint
from tests.certificates import Authority

_NAME = "micropython.org"
_PORTS = {20080: False, 20443: True}  # 80 and 443, as boards find them; whether with TLS
_DATES = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - UTC is what X.509 means
_LONGEST_S = 20


@contextmanager
def internet(point: AccessPoint, folder: Path) -> Iterator[None]:
    """Put it behind an access point, for as long as the block runs."""
    authority = Authority()
    chain, key = authority.issue(folder, _NAME, *_DATES)
    chain.write_text(chain.read_text() + authority.pem)  # the tests look at a chain of two
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    point.names[_NAME] = point.gateway
    point.beyond_is_silent = True
    listeners = []
    try:
        for port, has_tls in _PORTS.items():
            listener = socket.create_server((point.gateway, port))
            listeners.append(listener)
            serve = _Listener(listener, context if has_tls else None)
            threading.Thread(target=serve, daemon=True).start()
        yield
    finally:
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


class _Listener:
    """Lets everybody in, and says nothing."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        self._listener = listener
        self._context = context

    def __call__(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._let_in, args=(client,), daemon=True).start()

    def _let_in(self, client: socket.socket) -> None:
        client.settimeout(_LONGEST_S)
        with suppress(OSError), client:
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            with client:
                while client.recv(1000):
                    pass

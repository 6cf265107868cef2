# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The product's own platform over https, as an operator sets it up; and who pretends to be it."""

import contextlib
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import secrecy
from tests.system.servers import ServerProcess

NAME = "m2m.example"
_NTP_EPOCH_S = 2208988800
_PORT_SHIFT = 20000  # the emulated board's ports below 1024, which would need root


class SecurePlatform(ServerProcess):
    """Known to devices by NAME and to the other servers by its address, under one certificate."""

    has_accounts = True

    def __init__(self, directory: Path, address: str, common: list[str]) -> None:
        self.certificates = directory / "certs"
        command = ["certs", "dev", "--out", str(self.certificates), "--name", NAME]
        subprocess.run(
            [sys.executable, "-m", "muster_server", *command, "--name", address],
            check=True,
            capture_output=True,
            timeout=30,
        )
        for key in self.certificates.glob("*.key"):
            for line in key.read_text().splitlines()[1:-1]:
                secrecy.hide(line)
        self.url = f"https://{address}:8422"
        self.ca_file: str | None = str(self.certificates / "ca.pem")
        self.profile: dict[str, Any] = {"url": f"https://{NAME}:8422", "ca": self.authority}
        self.config_options = ["--platform-url", self.url, "--ca-file", self.ca_file]
        self.config_options += ["--platform-public-url", self.profile["url"]]
        options = [*common, "--platform-listen", f"{address}:8422"]
        for name, file in (("cert", "server.pem"), ("key", "server.key")):
            options += [f"--platform-{name}", str(self.certificates / file)]
        super().__init__("platform", options, directory / "platform.log")

    @property
    def authority(self) -> str:
        """In PEM, as an operator pastes it into a profile."""
        return (self.certificates / "ca.pem").read_text()

    def show(self, chain: Path, key: Path) -> None:
        """Another certificate, from the next start on."""
        (self.certificates / "server.pem").write_bytes(chain.read_bytes())
        (self.certificates / "server.key").write_bytes(key.read_bytes())


@contextlib.contextmanager
def impostor(
    chain: Path, key: Path, lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> Iterator[tuple[str, int]]:
    """Give the address of somebody who shows this certificate and serves nobody who accepts it;
    `lowest` is the lowest version of TLS that it speaks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = lowest
    context.load_cert_chain(chain, key)
    with listening(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    stream, _ = listener.accept()
                except OSError:
                    return
                stream.settimeout(5)
                with stream, contextlib.suppress(OSError):
                    context.wrap_socket(stream, server_side=True).close()

        with running(serve):
            host, port = listener.getsockname()
            yield host, port
            listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def ntp_server(address: str, ahead_s: int = 0) -> Iterator[list[str]]:
    """Tells the host's time, or a later one; the list gets the address of whoever asks."""
    asked: list[str] = []
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint.bind((address, 123 + _PORT_SHIFT))
    endpoint.settimeout(0.1)
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                question, sender = endpoint.recvfrom(100)
            except TimeoutError:
                continue
            asked.append(sender[0])
            seconds = struct.pack(">I", int(time.time()) + ahead_s + _NTP_EPOCH_S & 0xFFFFFFFF)
            answer = b"\x24\x02" + bytes(22) + question[40:48] + bytes(8) + seconds + bytes(4)
            endpoint.sendto(answer, sender)

    with listening(endpoint), running(serve):
        yield asked
        is_over.set()


@contextlib.contextmanager
def listening(endpoint: socket.socket) -> Iterator[socket.socket]:
    try:
        yield endpoint
    finally:
        endpoint.close()


@contextlib.contextmanager
def running(serve: Any) -> Iterator[None]:
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(10)

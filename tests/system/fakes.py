# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Strangers in the air: configuration servers that are none, and who answers every DNS-SD query.

Both keep every byte that a device sends them.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from noise.connection import NoiseConnection

from muster_server.config_server.noise import PROTOCOL, Exchange, prologue
from tests.firmware import dnssd_answers
from tests.listener import Listener

_PATIENCE_S = 30.0
_LOOK_S = 0.1
_PIECE = 65536
_GROUP, _PORT = "224.0.0.251", 5353

Answer = Callable[[bytes], Iterator[bytes]]  # from a request to what is sent, piece by piece


def _is_of_this_process(address: tuple[str, int]) -> bool:
    """Tell whether a socket of this process, and so of a board's radio here, has the address."""
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile, or no socket
            borrowed = socket.socket(fileno=int(file.name))
            try:
                if borrowed.getsockname() == address:
                    return True
            finally:
                borrowed.detach()
    return False


class FakeServer(Listener):
    """Answers each request as `answer` says. `seen` has the bytes of each connection."""

    def __init__(self, address: str, answer: Answer, port: int = 8421) -> None:
        self.seen: list[bytes] = []
        self._answer = answer
        super().__init__((address, port), _PATIENCE_S)

    def talk(self, device: socket.socket) -> None:
        device.settimeout(_LOOK_S)
        at = len(self.seen)
        self.seen.append(b"")
        with contextlib.suppress(ConnectionError, TimeoutError):  # it has had enough
            self._hear(at, device, until_silent=False)
            for piece in self._answer(self.seen[at]):
                if not self._is_open:
                    return
                device.settimeout(_PATIENCE_S)
                device.sendall(piece)
                device.settimeout(_LOOK_S)
                self._hear(at, device, until_silent=True)
            device.shutdown(socket.SHUT_WR)
            self._hear(at, device, until_silent=False)

    def _hear(self, at: int, device: socket.socket, until_silent: bool) -> None:
        """Takes what comes: a whole request first, later whatever else a device may say."""
        while self._is_open:
            try:
                piece = device.recv(_PIECE)
            except TimeoutError:
                if until_silent:
                    return
                continue
            if not piece:
                return
            self.seen[at] += piece
            if _is_whole(self.seen[at]):
                return


def _is_whole(request: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


# What the strangers answer


def reply(status: str, body: bytes = b"", *headers: str) -> Answer:
    """One answer, whatever the request."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]

    def answer(request: bytes) -> Iterator[bytes]:
        yield "\r\n".join([*lines, "\r\n"]).encode() + body

    return answer


def sealed_with_another_key(request: bytes) -> Iterator[bytes]:
    """A flawless message 2 to somebody else, with a directive in it."""
    psk, about = b"K" * 32, prologue("SOMEBODY", "label")
    other = NoiseConnection.from_name(PROTOCOL)
    other.set_prologue(about)
    other.set_psks(psk)
    other.set_as_initiator()
    other.start_handshake()
    opened = Exchange(about, bytes(other.write_message(b"{}"))).opened(psk)
    assert opened is not None
    message = opened.answered(b'{"v":1,"nonce":"n","time":1,"action":"forget","retry_s":0}')
    assert message is not None
    yield from reply("200 OK", message)(request)


def endless_body(request: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"
    while True:
        yield bytes(4096)


def endless_headers(request: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-More: to come\r\n" * 16


def very_slow(request: bytes) -> Iterator[bytes]:
    """A byte now and then: each alone is in time."""
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"
    for _ in range(400):
        yield b"\x00"


class Spoofer:
    """Answers every DNS-SD query of this test's boards at once, with lies. `seen` has the queries.

    The group is the machine's: what other programs and tests ask there is left alone.
    """

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self._answers: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((_GROUP, _PORT))
        membership = struct.pack("4s4s", socket.inet_aton(_GROUP), socket.inet_aton("127.0.0.1"))
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self._socket.settimeout(_LOOK_S)
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def claim(self, name: str, *addresses: str) -> None:
        """From now on there is a server of this name, at these addresses.

        The air carries the answer to those networks in which one of the addresses is.
        """
        server = dnssd_answers.server(name, *addresses)
        more = [server.dns_service(), server.dns_text(), *server.dns_addresses()]
        self._answers.append(bytes.fromhex(dnssd_answers.packet([server.dns_pointer()], more)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_ending.set()
        self._thread.join(_PATIENCE_S)
        self._socket.close()

    def _serve(self) -> None:
        while not self._is_ending.is_set():
            try:
                query, asker = self._socket.recvfrom(_PIECE)
            except TimeoutError:
                continue
            if len(query) < 12 or query[2] & 0x80 or asker[1] == _PORT:
                continue  # a responder's own traffic
            if not _is_of_this_process(asker):
                continue
            self.seen.append(query)
            for answer in self._answers:
                self._socket.sendto(query[:2] + answer[2:], asker)

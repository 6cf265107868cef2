# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Platforms for the bench, each in a process of its own with its database on disk, and what asks
them: kept connections, and a receiver of notifications.
"""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TOKEN = "the-administrators-token-of-the-bench"  # noqa: S105 - made up, and good here alone
_READY_S = 120
_ANSWER_S = 60
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


@dataclass
class Caller:
    """One originator on one kept connection."""

    url: str
    originator: str
    token: str | None
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=_ANSWER_S
        )

    def ask(self, method: str, to: str, ty: int = 0, body: Any = None) -> Any:
        """The document of the answer. Raises RuntimeError if it is a refusal."""
        headers = {"X-M2M-Origin": self.originator, "X-M2M-RI": "r1", "X-M2M-RVI": "4"}
        headers["Content-Type"] = "application/json" + (f";ty={ty}" if ty else "")
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        sent = None if body is None else json.dumps(body).encode()
        self.connection.request(method, to, sent, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {to}: HTTP {answer.status} {content[:200]!r}")
        return json.loads(content) if content else None

    def written(self, ty: int, body: Any) -> bytes:
        """A creation under the CSEBase, as bytes."""
        content = json.dumps(body).encode()
        lines = [
            "POST /cse-in HTTP/1.1",
            f"Host: {urlsplit(self.url).netloc}",
            f"X-M2M-Origin: {self.originator}",
            "X-M2M-RI: r1",
            "X-M2M-RVI: 4",
            f"Content-Type: application/json;ty={ty}",
            f"Content-Length: {len(content)}",
            *([f"Authorization: Bearer {self.token}"] if self.token else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + content

    def publish(self, con: str) -> None:
        """A reading into the device's container. Raises RuntimeError if it is refused."""
        self.ask("POST", f"/cse-in/{self.originator}/data", 4, {"m2m:cin": {"con": con}})


@dataclass
class Served:
    """The product's platform, and accounts at it."""

    url: str
    pid: int

    def caller(self, originator: str) -> Caller:
        """Make an account and return its caller. Raises RuntimeError if it is refused."""
        admin = Caller(self.url, "CAdmin", TOKEN)
        token = admin.ask("PUT", f"/accounts/{originator}", body={})["token"]
        return Caller(self.url, originator, token)

    def device(self, originator: str) -> Caller:
        """A registered one with a container. Raises RuntimeError if it is refused."""
        caller = self.caller(originator)
        entity = {"rn": originator, "api": "N1", "rr": False, "srv": ["4"]}
        caller.ask("POST", "/cse-in", 2, {"m2m:ae": entity})
        caller.ask("POST", f"/cse-in/{originator}", 3, {"m2m:cnt": {"rn": "data", "mni": 50}})
        return caller

    def cpu_s(self) -> float:
        """The processor time that its process has taken."""
        return cpu_s(self.pid)


def cpu_s(pid: int) -> float:
    """The processor time that a process has taken."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Line:
    """A connection that is kept as long as the server keeps it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._socket: socket.socket | None = None

    def create(self, request: bytes) -> None:
        """Send a creation and read its answer. Raises RuntimeError if it is refused."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, _ANSWER_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += _part(self._socket)
        head, _, body = answer.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        while found and len(body) < int(found[1]):
            body += _part(self._socket)
        if b" 201" not in head[:16]:
            raise RuntimeError(head.decode()[:60])
        if b"connection: close" in head.lower():
            self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _part(line: socket.socket) -> bytes:
    part = line.recv(65536)
    if not part:
        raise RuntimeError("the server has ended the connection")
    return part


@contextmanager
def platform(folder: Path) -> Iterator[Served]:
    """The platform alone, on the data in this folder, which may notify this machine."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "muster_server", "serve", "--role", "platform"),
            *("--data", str(folder), "--platform-listen", "127.0.0.1:0"),
            *("--notify-network", "127.0.0.0/8"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": os.environ["PATH"], "MUSTER_PLATFORM_TOKEN": TOKEN},
    )
    try:
        yield Served(_ready(process), process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        words = process.stdout.readline().split()
        if not words:
            break
        if words[1:2] == ["ready"]:
            return words[2]
    raise RuntimeError("the platform did not start")


class Listener:
    """Takes notifications, and notes when each content arrived."""

    def __init__(self) -> None:
        self.came: list[tuple[str, float]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        begun = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop
        )
        port = begun.result(_ANSWER_S).sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/news"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = _LENGTH.search(head)
                body = await reader.readexactly(int(found[1]) if found else 0)
                at = time.monotonic()
                news = json.loads(body)["m2m:sgn"]
                if "nev" in news:
                    self.came.append((news["nev"]["rep"]["m2m:cin"]["con"], at))
                writer.write(b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

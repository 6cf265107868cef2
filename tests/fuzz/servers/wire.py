# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bytes that are hardly HTTP, against `muster serve` in a process of its own."""

import random
import re
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.mutation import chance, changed_bytes
from tests.fuzz.servers.target import Finding, some

_READY_S = 30
_ANSWER_S = 30
_LARGEST_RSS = 400 << 20
_ROLES = ("platform", "config", "portal")
_SYNC = (
    b"POST /v1/devices/PRESS-4/sync?k=label HTTP/1.1\r\nHost: x\r\nContent-Length: 64\r\n"
    b"Content-Type: application/octet-stream\r\n\r\n" + bytes(64)
)
_REQUESTS = [
    _SYNC,
    b"GET /v1/devices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer mst_x\r\n\r\n",
    b"POST /cse-in HTTP/1.1\r\nHost: x\r\nX-M2M-Origin: Cx\r\nX-M2M-RI: 1\r\nX-M2M-RVI: 4\r\n"
    b"Transfer-Encoding: chunked\r\nContent-Type: application/json;ty=2\r\n"
    b"Authorization: Bearer x\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /v1/vendor/devices HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
    b"Expect: 100-continue\r\n\r\n{}",
    b"GET /openapi.json HTTP/1.0\r\n\r\n",
]
_WORDS = [
    b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"HTTP/1.1", b"HTTP/2.0", b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n", b"Upgrade: websocket\r\n",
    b"Connection: close\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00", b"%",
]  # fmt: skip


class RawHTTP:
    name = "http"

    def __init__(self) -> None:
        self._closers = ExitStack()
        directory = Path(self._closers.enter_context(tempfile.TemporaryDirectory()))
        self._log = directory / "log.txt"
        self._process = self._closers.enter_context(_serving(directory, self._log))
        self._ports = _ports(self._process)
        self._seen = 0

    def case(self) -> dict[str, Any]:
        data = changed_bytes(some(_REQUESTS), some(_REQUESTS), _WORDS)
        if chance(8):
            data += some(_REQUESTS)
        return {"role": some(list(_ROLES)), "data": data.decode("latin-1")}

    def play(self, case: dict[str, Any]) -> None:
        data = case["data"].encode("latin-1")
        answer = self._sent(case["role"], data)
        if b"Traceback" in answer or re.match(rb"HTTP/1\.1 50[02]", answer):
            raise Finding(f"{case['role']} answers {answer[:200]!r}")
        if random.randrange(64) == 0:
            self._look(case["role"])

    def _sent(self, role: str, data: bytes, patience_s: float = 0.01) -> bytes:
        with socket.create_connection(("127.0.0.1", self._ports[role]), _ANSWER_S) as connection:
            try:
                connection.sendall(data)
                # An end of what is sent would end the answer too: first it may come.
                ready, _, _ = select.select([connection], [], [], patience_s)
                begun = connection.recv(65536) if ready else b""
                connection.shutdown(socket.SHUT_WR)
                return begun + b"".join(_received(connection))
            except OSError as error:
                if isinstance(error, TimeoutError):
                    raise Finding(f"{role} holds a connection of which all is said") from None
                return b""  # it has hung up first

    def _look(self, role: str) -> None:
        """Still there, still quiet, still small?"""
        answer = self._sent(role, _SYNC, _ANSWER_S)
        if not re.match(rb"HTTP/1\.1 (4\d\d) ", answer):
            raise Finding(f"{role} does not answer a good request any more: {answer[:200]!r}")
        said = self._log.read_bytes()
        new, self._seen = said[self._seen :], len(said)
        if b"Traceback" in new:
            raise Finding("logged: " + _first_traceback(new))
        size = _rss(self._process.pid)
        if size > _LARGEST_RSS:
            raise Finding(f"the servers have grown to {size >> 20} MiB")

    def close(self) -> None:
        self._closers.close()


def _first_traceback(log: bytes) -> str:
    """The first one's last lines, and what raised it."""
    begin = log.index(b"Traceback")
    end = re.compile(rb"\n\d{4}-\d\d-\d\d |\Z").search(log, begin)
    text = log[begin : end.start() if end else None].decode("utf-8", "replace")
    return text[-1600:]


def _received(connection: socket.socket) -> Iterator[bytes]:
    while part := connection.recv(65536):
        yield part


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


@contextmanager
def _serving(directory: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "muster_server", "serve", "--data", str(directory / "data")]
    for role in _ROLES:
        command += [f"--{role}-listen", "127.0.0.1:0"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--advertise", "no"], stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=_READY_S)


def _ports(process: subprocess.Popen[str]) -> dict[str, int]:
    assert process.stdout
    ports: dict[str, int] = {}
    for line in process.stdout:
        found = re.match(r"(\w+) ready http://127\.0\.0\.1:(\d+)", line)
        if found:
            ports[found[1]] = int(found[2])
        if len(ports) == len(_ROLES):
            return ports
    raise Finding("the servers do not start")

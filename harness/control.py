# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The supervisor's end of the control channel; the other end is `shims/supervisor.py`."""

import json
import socket
from collections.abc import Callable
from typing import Any

from harness.errors import BoardError
from harness.loop import Loop

_LINE = 65536


class Refusal(Exception):
    """An exception for the board's program: its class's name there, and its arguments."""

    def __init__(self, kind: str, *arguments: Any):
        super().__init__(kind, *arguments)
        self.kind = kind
        self.arguments_there = arguments


class Later:
    """A handler's promise to answer afterwards, with `give` or `refuse`."""

    def __init__(self) -> None:
        self._send: Callable[[list[Any]], None] | None = None

    def bind(self, send: Callable[[list[Any]], None]) -> None:
        self._send = send

    def give(self, value: Any) -> None:
        if self._send is not None:
            self._send([value])

    def refuse(self, refusal: Refusal) -> None:
        if self._send is not None:
            self._send([refusal.kind, refusal.arguments_there])


Handler = Callable[[str, list[Any]], Any]


class Control:
    """Lines of JSON over a socket pair. `handler(verb, arguments)` answers what the board asks."""

    def __init__(self, loop: Loop, handler: Handler):
        self._loop = loop
        self._handler = handler
        self._ours, self.theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._received = bytearray()
        self._is_open = True
        self._unanswered = 0
        loop.on_ready(self._ours.fileno(), self._read)

    def event(self, name: str, *arguments: Any) -> None:
        self._write([0, name, *arguments])

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.forget(self._ours.fileno())
            self._ours.close()
            self.theirs.close()

    def is_asking(self) -> bool:
        """Whether the board waits for an answer; handles what has come before it says so."""
        if self._is_open:
            self._read()
        return self._unanswered > 0

    def _read(self) -> None:
        try:
            data = self._ours.recv(_LINE)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self.close()
            return
        self._received += data
        while self._is_open and (end := self._received.find(b"\n")) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._take(line)
        if len(self._received) > _LINE:
            raise BoardError("the board sent an endless control line; its shims are damaged")

    def _take(self, line: bytes) -> None:
        serial, verb, *arguments = json.loads(line)

        def send(answer: list[Any]) -> None:
            self._unanswered -= 1
            if serial:
                self._write([serial, *answer])

        self._unanswered += 1
        try:
            answer = self._handler(verb, arguments)
        except Refusal as e:
            send([e.kind, e.arguments_there])
            return
        except (TypeError, ValueError, KeyError, AttributeError):
            # a program's odd argument must not end the board; the real port says it in C
            send(["TypeError", ["argument of a wrong type"]])
            return
        if isinstance(answer, Later):
            answer.bind(send)
        else:
            send([answer])

    def _write(self, message: list[Any]) -> None:
        if not self._is_open:
            return
        try:
            self._ours.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        except BlockingIOError:
            raise BoardError("the board does not read its control channel") from None
        except (BrokenPipeError, ConnectionResetError):
            pass  # it is exiting; its end follows

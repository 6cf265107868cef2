# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The supervisor's end of the control channel; the other end is `shims/host_link.py`."""

import json
import re
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from muster_harness.errors import BoardError, HarnessError
from muster_harness.loop import Loop

_PIECE = 65536
_LONGEST_LINE = 16 << 20  # more than a program's heap can hold
_SERIAL = re.compile(rb"\[(\d{1,10}),")
_WORD = 1 << 31
_MAY_BE_LOST = ("pin", "ble_heard")  # events of which the next is as good
_MOST_UNSENT = 65536  # messages


class Refusal(Exception):
    """An exception for the board's program: its class's name there, and its arguments."""

    def __init__(self, kind: str, *arguments: Any):
        super().__init__(kind, *arguments)
        self.kind = kind
        self.arguments_there = arguments


def machine_word(value: Any) -> int:
    """Return a number as the port's C code takes it, whose int has 32 bits.

    Raises Refusal if it has more.
    """
    if not isinstance(value, int):
        raise Refusal("TypeError", f"can't convert {type(value).__name__} to int")
    if not -_WORD <= value < _WORD:
        raise Refusal("OverflowError", "overflow converting long int to machine word")
    return value


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
        self._unsent: deque[bytes] = deque()  # lines, the first of which may have begun
        self._writable: socket.socket | None = None  # while it is waited for
        self._is_open = True
        self._unanswered = 0
        loop.on_ready(self._ours.fileno(), self._read)

    def event(self, name: str, *arguments: Any) -> None:
        """Tell the program of an event; the program may be long in coming to hear it.

        An edge for which there is no room is lost: the program has not heard of hundreds before
        it, of which it keeps as many as a board's scheduler does.
        """
        self._write([0, name, *arguments], may_be_lost=name in _MAY_BE_LOST)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._wait_to_write(False)
            self._loop.forget(self._ours.fileno())
            self._ours.close()
            self.theirs.close()

    def is_asking(self) -> bool:
        """Tell whether the board waits for an answer; first handle the requests that came
        before."""
        if self._is_open:
            self._read()
        return self._unanswered > 0

    def _read(self) -> None:
        try:
            data = self._ours.recv(_PIECE)
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
        if len(self._received) > _LONGEST_LINE:
            raise BoardError("the board sent an endless control line; its shims are damaged")

    def _take(self, line: bytes) -> None:
        # It stands first, so it can be told of a line that is no JSON too.
        head = _SERIAL.match(line)
        serial = int(head[1]) if head else 0

        def send(answer: list[Any]) -> None:
            self._unanswered -= 1
            if serial:
                self._write([serial, *answer])

        self._unanswered += 1
        try:
            _, verb, *arguments = json.loads(line)
            answer = self._handler(verb, arguments)
        except Exception as e:  # a program's odd argument must not end the board
            if not self._is_open:  # the program is gone: it is the board that cannot go on
                raise
            refusal = _as_refusal(e)
            send([refusal.kind, refusal.arguments_there])
            return
        if isinstance(answer, Later):
            answer.bind(send)
        else:
            send([answer])

    def _write(self, message: list[Any], may_be_lost: bool = False) -> None:
        if not self._is_open or may_be_lost and self._unsent:
            return
        if len(self._unsent) >= _MOST_UNSENT:
            raise BoardError("the board does not read its control channel")
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        self._unsent.append(line)
        self._flush()
        if may_be_lost and self._unsent and self._unsent[0] is line:  # no byte of it has gone
            self._unsent.clear()
            self._wait_to_write(False)

    def _flush(self) -> None:
        try:
            while self._unsent:
                line = self._unsent[0]
                rest = line[self._ours.send(line) :]
                if rest:
                    self._unsent[0] = rest
                else:
                    self._unsent.popleft()
        except BlockingIOError:
            pass  # a busy program; the rest goes when there is room
        except (BrokenPipeError, ConnectionResetError):
            self._unsent.clear()  # it is exiting; its end follows
        self._wait_to_write(bool(self._unsent))

    def _wait_to_write(self, waits: bool) -> None:
        if waits and self._writable is None:
            # a loop knows a descriptor once, and this one is read already
            self._writable = self._ours.dup()
            self._loop.on_ready(self._writable.fileno(), self._flush, writable=True)
        elif not waits and self._writable is not None:
            self._loop.forget(self._writable.fileno())
            self._writable.close()
            self._writable = None


def _as_refusal(error: Exception) -> Refusal:
    """Translate an error into the exception that the program shall see.

    The real port says it in C.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, OSError):
        return Refusal("OSError", error.errno)
    what = f"the emulated board cannot take this: {type(error).__name__}: {error}"
    return Refusal("RuntimeError" if isinstance(error, HarnessError) else "TypeError", what)

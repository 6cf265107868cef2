# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The channel between a board and its program: every line has its answer, whatever is in it."""

import json
from typing import Any

import pytest

from muster_harness.control import Control, Later, Refusal
from muster_harness.errors import AirError
from muster_harness.loop import Loop


class Program:
    """The board's end of a control channel."""

    def __init__(self, loop: Loop, answer: Any) -> None:
        self._loop = loop
        self.control = loop.call(lambda: Control(loop, answer))
        self._socket = self.control.theirs.dup()
        self._socket.settimeout(30)
        self._file = self._socket.makefile("rb")

    def tell(self, line: bytes) -> None:
        self._socket.sendall(line + b"\n")

    def hear(self) -> Any:
        return json.loads(self._file.readline())

    def ask(self, line: bytes) -> Any:
        self.tell(line)
        return self.hear()

    def close(self) -> None:
        self._file.close()
        self._socket.close()
        self._loop.call(self.control.close)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (Refusal("ValueError", "no"), ["ValueError", ["no"]]),
        (OSError(24, "Too many open files"), ["OSError", [24]]),
        (IndexError("list index"), ["TypeError", ["…take this: IndexError: list index"]]),
        (AirError("no range"), ["RuntimeError", ["…take this: AirError: no range"]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_handler_raises_is_an_answer(
    loop: Loop, error: Exception, answer: list[Any]
) -> None:
    def handler(verb: str, arguments: list[Any]) -> Any:
        raise error

    program = Program(loop, handler)
    said = program.ask(b'[7, "verb"]')
    program.close()
    assert said[:2] == [7, answer[0]]
    assert str(said[2][0]).endswith(str(answer[1][0]).lstrip("…"))


def test_a_line_that_is_no_json_is_answered_by_its_number(loop: Loop) -> None:
    program = Program(loop, lambda verb, arguments: Later() if verb == "never" else verb)
    for line in (b'[7, "pin", <function irq at 0x7f>]', b'[7, "\xff"]', b"[7, nan]", b"[7, ["):
        assert program.ask(line)[:2] == [7, "TypeError"]
    assert program.ask(b'no number\n[8, "alive"]') == [8, "alive"]
    program.close()


def test_a_long_line_is_no_mistake(loop: Loop) -> None:
    program = Program(loop, lambda verb, arguments: len(arguments[0]))
    assert program.ask(b'[7, "bitstream", "%s"]' % (b"ab" * 200_000)) == [7, 400_000]
    program.close()


def test_a_program_that_does_not_listen_loses_edges_and_nothing_else(loop: Loop) -> None:
    program = Program(loop, lambda verb, arguments: verb)
    for number in range(2000):
        loop.call(lambda: program.control.event("pin", 4))  # noqa: B023 (called at once)
        if number % 100 == 0:
            loop.call(lambda n=number: program.control.event("connected", n, 0))  # type: ignore[misc]
    program.tell(b'[7, "still there"]')
    heard = [program.hear() for _ in range(20)]
    while heard[-1] != [7, "still there"]:
        heard.append(program.hear())
    program.close()
    assert [event[2] for event in heard if event[1] == "connected"] == list(range(0, 2000, 100))
    assert 0 < sum(event[1] == "pin" for event in heard) < 2000

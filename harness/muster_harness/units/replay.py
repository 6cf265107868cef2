# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Holds a board to a recorded session: the same input, and whether it answers the same.

What no two boards have in common is not compared: addresses, MACs, versions, times.
"""

import difflib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from muster_harness.errors import CannotDo
from muster_harness.wire.serial_line import SerialLine
from muster_harness.wire.session_file import Event

_LOOK_S = 0.02
_LONGEST_PAUSE_S = 1.0
_SETTLED_S = 0.3
_MOST_LINES = 20
# In this order: what to look for, and the words in its place.
_RULES = (
    # what the ROM says differs from chip to chip; the reset's cause does not
    (r"(?m)^(?:ets [A-Z]|ESP-ROM:|Build:|configsip:|SPIWP:|clk_drv:|mode:|load:|entry ).*\n", ""),
    (r"rst:0x[0-9a-f]+ \((\w+)\),boot:0x[0-9a-f]+ \(\w+\)", r"rst:<\1>"),
    (r"MicroPython v?[^\n;]* on \d{4}-\d\d-\d\d; [^\n]*", "MicroPython <version>"),
    (r"\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b|\b[0-9a-f]{12}\b", "<MAC>"),
    (r"b(['\"])(?=[^\n]*\\x)(?:\\x[0-9a-f]{2}|\\.|(?!\1)[^\\]){6}\1", "<MAC>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "<IP>"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?", "<time>"),
    (r"\b\d\d:\d\d:\d\d(?:\.\d+)?\b", "<time>"),
    (r"\(\d{4}(?:, \d{1,2}){5}, \d, \d{1,3}\)", "(<time>)"),
    (r"(?m)^([EWIDV]) \(\d+\) ", r"\1 (<ms>) "),
    (r"(?m)^M \d+ ([A-Z]) ", r"M <ms> \1 "),
    (r"\b\d+(?:\.\d+)? ?([mu]?s)\b", r"<n> \1"),
    (r"\b0x[0-9a-f]{6,16}\b", "<address>"),
)
_COMPILED = [(re.compile(pattern), words) for pattern, words in _RULES]


@dataclass(frozen=True)
class Step:
    """An input, or a reset, and all that the board said until the next one."""

    event: Event
    said: bytes
    pause_s: float  # before it, since the board had said its last
    took_s: float  # from it to the last that the board said

    @property
    def name(self) -> str:
        """The step's beginning for a person."""
        return "after a reset" if self.event.kind == "reset" else f"after {_sent(self.event.data)}"


@dataclass(frozen=True)
class Difference:
    """A step that was answered otherwise; `lines` begin with - as recorded, + as here."""

    number: int
    step: Step
    lines: tuple[str, ...]


def steps_of(events: Sequence[Event]) -> list[Step]:
    """Part a session at its inputs and resets. The words before the first are left out: nobody
    knows to what they were an answer."""
    made: list[Step] = []
    last_s = 0.0
    for event in events:
        if event.kind != "from":
            made.append(Step(event, b"", max(0.0, event.at_s - last_s), 0.0))
        elif made:
            step = made[-1]
            took_s = max(0.0, event.at_s - step.event.at_s)
            made[-1] = Step(step.event, step.said + event.data, step.pause_s, took_s)
        last_s = event.at_s
    return made


def plain(data: bytes, ignored: Sequence[re.Pattern[str]] = ()) -> str:
    """Return what two boards have in common of their words; what matches `ignored` is left out."""
    text = data.decode("utf-8", "backslashreplace").replace("\x01", "").replace("\r\n", "\n")
    for pattern, words in _COMPILED:
        text = pattern.sub(words, text)
    for pattern in ignored:
        text = pattern.sub("", text)
    return text


class Replayed:
    """A board behind a port that is held to sessions; a context manager.

    `reset` resets it; None if it has no such line. Raises PortError if the port cannot be opened.
    """

    def __init__(self, port: str, reset: Callable[[SerialLine], None] | None):
        self._reset = reset
        self._lock = threading.Lock()
        self._heard = bytearray()
        self._line = SerialLine(port, self._hear, lambda _: None)

    def __enter__(self) -> "Replayed":
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def _hear(self, data: bytes) -> None:
        with self._lock:
            self._heard += data

    def replay(
        self, steps: Sequence[Step], patience_s: float, ignored: Sequence[re.Pattern[str]] = ()
    ) -> Iterator[Difference]:
        """Do the steps, one after the other, and yield those that were answered otherwise.

        A step has twice its recorded time and `patience_s`. Raises PortError if the port
        vanishes, CannotDo for a reset that this port cannot do.
        """
        time.sleep(_SETTLED_S)
        self._so_far(clear=True)  # what a pty has kept while nobody listened
        carried = ""  # said early: it belongs to the next step
        for number, step in enumerate(steps, 1):
            wanted = plain(step.said, ignored)
            following = plain(steps[number].said, ignored) if number < len(steps) else ""
            self._begin(step)
            end = time.monotonic() + 2 * step.took_s + patience_s
            is_same = False
            while not is_same and time.monotonic() < end:
                here = carried + plain(self._so_far(), ignored)
                is_same = here.startswith(wanted) and following.startswith(here[len(wanted) :])
                if not is_same:
                    self._line.check()
                    time.sleep(_LOOK_S)
            if number == len(steps):  # nobody looks after it at what else is said
                time.sleep(_SETTLED_S)
            here = carried + plain(self._so_far(clear=True), ignored)
            more = here[len(wanted) :]
            is_same = here.startswith(wanted) and following.startswith(more)
            carried = more if is_same else ""
            if not is_same:
                yield Difference(number, step, _difference(wanted, here))

    def _begin(self, step: Step) -> None:
        if not step.said:
            time.sleep(min(step.pause_s, _LONGEST_PAUSE_S))
        if step.event.kind == "to":
            self._line.write(step.event.data)
        elif self._reset is None:
            raise CannotDo(
                f"the session has a reset, and {self._line.port} has no line for that; leave "
                "--port out for a board of its own, or use rfc2217://"
            )
        else:
            self._reset(self._line)

    def _so_far(self, clear: bool = False) -> bytes:
        with self._lock:
            data = bytes(self._heard)
            if clear:
                self._heard.clear()
        return data


def _sent(data: bytes) -> str:
    text = repr(data.decode("utf-8", "backslashreplace"))
    return text if len(text) < 70 else f"…{text[-68:]}"


def _difference(recorded: str, here: str) -> tuple[str, ...]:
    lines = difflib.ndiff(_lines(recorded), _lines(here))
    told = [line for line in lines if line[0] in "-+"]
    more = [f"  ({len(told) - _MOST_LINES} more lines)"] if len(told) > _MOST_LINES else []
    return (*told[:_MOST_LINES], *more)


def _lines(text: str) -> list[str]:
    shown = "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)
    return shown.split("\n")

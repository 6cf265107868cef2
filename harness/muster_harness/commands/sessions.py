# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster-unit record` notes a session with a board; `muster-unit replay` holds a board to it."""

import contextlib
import os
import re
import select
import sys
import tempfile
import termios
import time
import tty
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from muster_harness.commands.boards import chosen_port, say
from muster_harness.errors import HarnessError
from muster_harness.terminal import complain
from muster_harness.units.replay import Difference, Replayed, steps_of
from muster_harness.wire.recorder import Recorder
from muster_harness.wire.serial_line import SerialLine, has_reset_line
from muster_harness.wire.session_file import SessionWriter, read_session

_LOOK_S = 0.1
_CHUNK = 4096
_END_KEY = b"\x1d"  # Ctrl-], as in pyserial's miniterm


def record(options: Namespace) -> int:
    """Note what goes over a board's line until Ctrl-], Ctrl-C, or so many seconds.

    Raises HarnessError if the file is there or becomes too large, PortError if the port vanishes.
    """
    port = chosen_port(options)
    path = Path(options.file)
    writer, screen = SessionWriter(path, port), _Screen()
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(writer),
        _recorder(port, writer, screen, path) as line,
    ):
        say(f"{path} notes what is typed, passwords too; keep it to yourself")
        say(f"other programs: {line.url}")
        say("type; Ctrl-] ends it" if sys.stdin.isatty() else "Ctrl-C ends it")
        if options.reset:
            line.reset()
        _pass_on(line, writer, options.seconds)
    screen.end_line()
    say(f"written: {path}")
    return 0


def _recorder(port: str, writer: SessionWriter, screen: "_Screen", path: Path) -> Recorder:
    try:
        return Recorder(port, writer, screen.show)
    except BaseException:
        path.unlink()  # there is nothing in it, and the next try wants the name
        raise


class _Screen:
    """Shows what the board says as it comes."""

    def __init__(self) -> None:
        self._is_in_line = False

    def show(self, data: bytes) -> None:
        self._is_in_line = data[-1:] != b"\n"
        sys.stdout.buffer.write(data)
        sys.stdout.flush()

    def end_line(self) -> None:
        if self._is_in_line:
            print(flush=True)


def _pass_on(line: Recorder, writer: SessionWriter, seconds: float | None) -> None:
    end = None if seconds is None else time.monotonic() + seconds
    keys = _keyboard()
    with _single_keys():
        while end is None or time.monotonic() < end:
            line.check()
            if writer.is_full:
                raise HarnessError("the session is larger than a file of it may be; it ends here")
            if keys and select.select(keys, [], [], _LOOK_S)[0]:
                data = os.read(keys[0], _CHUNK)
                if not data:
                    keys = []  # of a pipe that has ended: the board may go on talking
                if _END_KEY in data and sys.stdin.isatty():
                    return
                line.write(data)
            elif not keys:
                time.sleep(_LOOK_S)


def _keyboard() -> list[int]:
    """Return the standard input, if there is one that can be waited for."""
    try:
        return [sys.stdin.fileno()]
    except (AttributeError, OSError):
        return []


@contextlib.contextmanager
def _single_keys() -> Iterator[None]:
    """Give each key to the board as it is pressed, Ctrl-C too; a pipe is left as it is."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def replay(options: Namespace) -> int:
    """Hold a board to a session; tell the differences, and end with 1 if there is one.

    Raises HarnessError for a file that is no session.
    """
    steps = steps_of(read_session(Path(options.file)))
    if not steps:
        raise HarnessError(f"nothing is said or typed in {options.file}")
    ignored = [_pattern(text) for text in options.ignore]
    begin, count = time.monotonic(), 0
    with _board(options) as board:
        for difference in board.replay(steps, options.patience, ignored):
            count += 1
            _tell(difference)
    of = f"{len(steps)} step{'s' if len(steps) > 1 else ''}"
    if count:
        complain("muster-unit", f"the board answers otherwise in {count} of {of}")
        return 1
    print(f"the board answers as recorded: {of}, {time.monotonic() - begin:.1f} s")
    return 0


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.MULTILINE)
    except re.error as e:
        raise HarnessError(f"--ignore {text!r} is no regular expression: {e}") from None


def _tell(difference: Difference) -> None:
    print(f"step {difference.number}, {difference.step.name}  (- recorded, + here):")
    for line in difference.lines:
        print(f"  {line}", flush=True)


@contextlib.contextmanager
def _board(options: Namespace) -> Iterator[Replayed]:
    """Give the board behind the port that is named, or a new emulated one at its prompt."""
    if options.port is not None:
        port = chosen_port(options)
        reset = SerialLine.pulse_reset if has_reset_line(port) else None
        with Replayed(port, reset) as board:
            yield board
        return
    # Late: it wants Linux, and boards behind ports do not.
    from muster_harness.units.emulated import EmulatedBoard

    with (
        _directory(options.directory) as directory,
        EmulatedBoard(directory, facts=options.board, heap=options.heap) as emulated,
    ):
        emulated.power_on()
        emulated.stop()

        def pressed(_: SerialLine) -> None:
            emulated.reset()

        with Replayed(emulated.port, pressed) as board:
            yield board


@contextlib.contextmanager
def _directory(wanted: str | None) -> Iterator[Path]:
    if wanted is not None:
        yield Path(wanted)
        return
    with tempfile.TemporaryDirectory(prefix="muster-replay-") as made:
        yield Path(made)

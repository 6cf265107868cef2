# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster-unit emulate`: a board on a pty and on TCP, with an air of its own, until Ctrl-C."""

import contextlib
import os
import select
import signal
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from muster_harness.air.air import Air
from muster_harness.commands import emulated_world
from muster_harness.commands.emulated_networks import Networks, put_up, write_rig
from muster_harness.commands.retries import Retries
from muster_harness.commands.setup_visits import SetupVisits
from muster_harness.errors import BoardError, ExpectTimeout, HarnessError
from muster_harness.log import shown
from muster_harness.terminal import is_coloured
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.tcp_port import TCPPort

_LOOK_S = 0.2
_HELP = "type: press [milliseconds], press twice, reset, off, on"
_STEP = rb"(M \d+ [A-Z] (?:step|life|button) [^\r\n]*)\r?\n"
_BETWEEN_S = 0.25  # two presses that are a double press


def emulate(options: Namespace) -> int:
    """Run until Ctrl-C or SIGTERM. The offer stands in rig.toml, which only its owner can read."""
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, number, signal.signal(number, _end))
        directory = stack.enter_context(_directory(options.directory))
        air = stack.enter_context(Air())
        password_file = directory / "factory-password"
        networks = put_up(air, options.air, options.address, password_file)
        board = stack.enter_context(
            EmulatedBoard(directory, air=air, heap=options.heap, facts=options.board)
        )
        tcp = stack.enter_context(TCPPort(board.port, options.tcp))
        control = stack.enter_context(_fifo(directory / "control"))
        rig = directory / "rig.toml"
        ports = {"pty": board.port, "tcp": tcp.url}
        write_rig(rig, ports, directory / "control", networks)
        stack.callback(rig.unlink, missing_ok=True)
        board.power_on()
        _announce(board, tcp, rig, networks)
        if options.servers:
            stack.enter_context(emulated_world.served(board, directory, networks))
        elif options.air is None:
            emulated_world.say_by_hand(board, networks, password_file)
        print(f"{_HELP}; Ctrl-C ends it", flush=True)
        visits = SetupVisits(air, board.name, _say)
        stack.callback(visits.close)
        # A pipe that nobody reads would fill with them, and the board would stand still.
        is_followed = options.servers or sys.stdout.isatty()
        retries = Retries(is_coloured(sys.stdout)) if is_followed else None
        _obey(board, control, visits, retries)
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _directory(wanted: str | None) -> Iterator[Path]:
    if wanted is not None:
        path = Path(wanted)
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as e:
            raise HarnessError(
                f"no board can live in {wanted} ({e.strerror}); name another --directory"
            ) from None
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="muster-emulated-") as made:
        yield Path(made)


@contextlib.contextmanager
def _fifo(path: Path) -> Iterator[int]:
    """Make a pipe with a name, through which other programs press the button and switch the
    power."""
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)
    # Open for writing too: it does not end when one of its writers does.
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)
        path.unlink(missing_ok=True)


def _announce(board: EmulatedBoard, tcp: TCPPort, rig: Path, networks: Networks) -> None:
    print(f"port      {board.port}")
    print(f"also      {tcp.url}")
    for point in networks.made:
        kind = "open" if point.password is None else "WPA2"
        print(f"network   {point.ssid.decode()}, {kind}, {point.rssi} dBm, {point.gateway}")
    print(f"rig       {rig} (with the passwords)")
    print(f"log       {board.log_path}", flush=True)


def _obey(
    board: EmulatedBoard, control: int, visits: SetupVisits, retries: Retries | None
) -> None:
    for fd, line in _lines(control):
        if board.failure is not None:
            raise BoardError(board.failure)
        if line.strip():
            said = _do(board, line.split())
            if fd != control:
                print(said, flush=True)
        if retries is not None:
            _follow(board, retries)
        visits.look()


def _follow(board: EmulatedBoard, retries: Retries) -> None:
    """Print the steps that the device has told since the last time."""
    with contextlib.suppress(ExpectTimeout):
        while True:
            for line in retries.lines(shown(board.expect(_STEP, 0)[1])):
                print(line, flush=True)


def _lines(control: int) -> Iterator[tuple[int, str]]:
    """Yield lines from standard input, if there is one, and from `control`; never end.

    An empty line comes now and then, so that the caller can look at other things.
    """
    typed = [] if sys.stdin is None or sys.stdin.closed else [sys.stdin.fileno()]
    rests: dict[int, bytes] = {}
    while True:
        ready, _, _ = select.select([*typed, control], [], [], _LOOK_S)
        yield control, ""
        for fd in ready:
            data = os.read(fd, 4096)
            if not data:
                typed = []  # nobody can type any more
            *lines, rests[fd] = (rests.get(fd, b"") + data).split(b"\n")
            yield from ((fd, line.decode("utf-8", "replace")) for line in lines)


def _do(board: EmulatedBoard, words: list[str]) -> str:
    try:
        match words:
            case ["press"]:
                board.press()
            case ["press", "twice"]:
                board.press(ms=100)
                time.sleep(_BETWEEN_S)
                board.press(ms=100)
            case ["press", ms]:
                board.press(ms=int(ms))
            case ["down" | "up" as way] if board.facts.button is not None:
                button = board.facts.button
                board.drive(button.pin, button.active if way == "down" else 1 - button.active)
            case ["reset"]:
                board.reset()
            case ["off"]:
                board.power_off()
            case ["on"]:
                board.power_on()
            case _:
                return _HELP
    except (HarnessError, ValueError) as e:
        return str(e)
    return "done"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster-unit emulate`: a board on a pty and on TCP, with an air of its own, until Ctrl-C."""

import contextlib
import json
import os
import secrets
import select
import signal
import sys
import tempfile
import tomllib
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from muster_harness.air.air import AccessPoint, Air
from muster_harness.errors import BoardError, HarnessError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.tcp_port import TCPPort

_PREFIX = "MUSTER-"
_LOOK_S = 0.5
_HELP = "type: press [milliseconds], reset, off, on"


def emulate(options: Namespace) -> int:
    """Run until Ctrl-C or SIGTERM. The offer stands in rig.toml, which only its owner can read."""
    signal.signal(signal.SIGTERM, _end)
    points = _wanted_points(options.air)
    with (
        _directory(options.directory) as directory,
        Air() as air,
        EmulatedBoard(directory, air=air, heap=options.heap, facts=options.board) as board,
        TCPPort(board.port, options.tcp) as tcp,
        _fifo(directory / "control") as control,
    ):
        made = [_add(air, point) for point in points]
        rig = directory / "rig.toml"
        ports = {"pty": board.port, "tcp": tcp.url}
        _write_rig(rig, ports, directory / "control", points, made)
        board.power_on()
        try:
            _announce(board, tcp, rig, made)
            with contextlib.suppress(KeyboardInterrupt):
                _obey(board, control)
        finally:
            rig.unlink(missing_ok=True)
    return 0


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


def _wanted_points(file: str | None) -> list[dict[str, Any]]:
    if file is None:
        return [
            {"ssid": f"{_PREFIX}emulated", "channel": 6, "rssi": -48},
            {"ssid": "factory", "password": secrets.token_urlsafe(12), "channel": 11, "rssi": -55},
            {"ssid": "neighbour", "password": secrets.token_urlsafe(12), "rssi": -81},
        ]
    try:
        points = tomllib.loads(Path(file).read_text())["access_point"]
        return [dict(point) for point in points]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise HarnessError(
            f"{file} describes no networks ({e}); it has one [[access_point]] for each, with ssid "
            "and perhaps password, channel, rssi, hidden"
        ) from None


def _add(air: Air, point: dict[str, Any]) -> AccessPoint:
    try:
        return air.add_access_point(**point)
    except TypeError as e:
        raise HarnessError(
            f"an access point cannot be made so ({e}); it has ssid, and perhaps password, "
            "channel, rssi, hidden"
        ) from None


def _write_rig(
    path: Path,
    ports: dict[str, str],
    control: Path,
    points: list[dict[str, Any]],
    made: list[AccessPoint],
) -> None:
    lines = ["# What muster-unit emulate offers while it runs."]
    for name, port in ports.items():
        lines += ["", f"[unit.{name}]", f"port = {json.dumps(port)}"]
        for part, on, off in (("button", "down", "up"), ("power", "on", "off")):
            lines.append(f"{part} = {{ on = {_say(on, control)}, off = {_say(off, control)} }}")
    named = list(zip(points, made, strict=True))
    onboarding = next((n for n in named if str(n[0]["ssid"]).startswith(_PREFIX)), None)
    operational = next((n for n in named if not str(n[0]["ssid"]).startswith(_PREFIX)), None)
    for name, pair in (("onboarding", onboarding), ("operational", operational)):
        if pair is not None:
            point, access_point = pair
            lines += ["", f"[network.{name}]", f"ssid = {json.dumps(point['ssid'])}"]
            if point.get("password"):
                lines.append(f"password = {json.dumps(point['password'])}")
            lines.append(f'address = "{access_point.gateway}"  # servers listen here')
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def _say(word: str, control: Path) -> str:
    return json.dumps(["sh", "-c", f'echo {word} > "$0"', str(control)])


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


def _announce(board: EmulatedBoard, tcp: TCPPort, rig: Path, made: list[AccessPoint]) -> None:
    print(f"port      {board.port}")
    print(f"also      {tcp.url}")
    for point in made:
        kind = "open" if point.password is None else "WPA2"
        print(f"network   {point.ssid.decode()}, {kind}, {point.rssi} dBm, {point.gateway}")
    print(f"rig       {rig} (with the passwords)")
    print(f"log       {board.log_path}")
    print(f"{_HELP}; Ctrl-C ends it", flush=True)


def _obey(board: EmulatedBoard, control: int) -> None:
    for fd, line in _lines(control):
        if board.failure is not None:
            raise BoardError(board.failure)
        if line.strip():
            said = _do(board, line.split())
            if fd != control:
                print(said, flush=True)


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

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

from harness.air import AccessPoint, Air
from harness.emulated import EmulatedBoard
from harness.errors import HarnessError
from harness.tcp_port import TCPPort

_PREFIX = "MUSTER-"
_LOOK_S = 0.5
_HELP = "type: press [milliseconds], reset, off, on"


def emulate(options: Namespace) -> int:
    """Run until Ctrl-C or SIGTERM; what is offered stands in rig.toml, for its owner only."""
    signal.signal(signal.SIGTERM, _end)
    points = _wanted_points(options.air)
    with (
        _directory(options.directory) as directory,
        Air() as air,
        EmulatedBoard(directory, air=air, heap=options.heap, facts=options.board) as board,
        TCPPort(board.port, options.tcp) as tcp,
    ):
        made = [_add(air, point) for point in points]
        rig = directory / "rig.toml"
        _write_rig(rig, board.port, tcp.url, points, made)
        board.power_on()
        try:
            _announce(board, tcp, rig, made)
            with contextlib.suppress(KeyboardInterrupt):
                _obey(board)
        finally:
            rig.unlink(missing_ok=True)
    return 0


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _directory(wanted: str | None) -> Iterator[Path]:
    if wanted is not None:
        path = Path(wanted)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
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
    path: Path, port: str, url: str, points: list[dict[str, Any]], made: list[AccessPoint]
) -> None:
    lines = ["# What muster-unit emulate offers while it runs.", f'ports = ["{port}", "{url}"]']
    named = list(zip(points, made, strict=True))
    onboarding = next((n for n in named if str(n[0]["ssid"]).startswith(_PREFIX)), None)
    operational = next((n for n in named if not str(n[0]["ssid"]).startswith(_PREFIX)), None)
    for name, pair in (("onboarding", onboarding), ("operational", operational)):
        if pair is not None:
            point, access_point = pair
            lines += ["", f"[{name}]", f"ssid = {json.dumps(point['ssid'])}"]
            if point.get("password"):
                lines.append(f"password = {json.dumps(point['password'])}")
            lines.append(f'address = "{access_point.gateway}"  # servers listen here')
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")


def _announce(board: EmulatedBoard, tcp: TCPPort, rig: Path, made: list[AccessPoint]) -> None:
    print(f"port      {board.port}")
    print(f"also      {tcp.url}")
    for point in made:
        kind = "open" if point.password is None else "WPA2"
        print(f"network   {point.ssid.decode()}, {kind}, {point.rssi} dBm, {point.gateway}")
    print(f"rig       {rig} (with the passwords)")
    print(f"log       {board.log_path}")
    print(f"{_HELP}; Ctrl-C ends it", flush=True)


def _obey(board: EmulatedBoard) -> None:
    for line in _typed():
        if line.strip():
            print(_do(board, line.split()), flush=True)


def _typed() -> Iterator[str]:
    """Lines from standard input, as far as there is one; never ends."""
    fd = None if sys.stdin is None or sys.stdin.closed else sys.stdin.fileno()
    rest = b""
    while True:
        ready, _, _ = select.select([] if fd is None else [fd], [], [], _LOOK_S)
        if fd is not None and ready:
            data = os.read(fd, 4096)
            if not data:
                fd = None  # nobody can type any more
            *lines, rest = (rest + data).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)


def _do(board: EmulatedBoard, words: list[str]) -> str:
    try:
        match words:
            case ["press"]:
                board.press()
            case ["press", ms]:
                board.press(ms=int(ms))
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

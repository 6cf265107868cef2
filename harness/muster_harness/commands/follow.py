# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Follows a board's serial log line by line, and makes its nine steps stand out."""

import re
import time
from collections.abc import Iterator

import serial

from muster_harness.errors import PortError
from muster_harness.log import shown
from muster_harness.wire.ports import open_port, took_nothing
from muster_harness.wire.serial_line import restart_program

# The portal's words; tests/wire/steps.json holds both together.
STEPS = {
    1: "Register the device at the portal",
    2: "Tell the configuration server",
    3: "Start looking for the configuration server",
    4: "Find a network connection to it",
    5: "Send it the device's information",
    6: "Receive the configuration",
    7: "Disconnect from the configuration server",
    8: "Join the operational network",
    9: "Register at the platform",
}
STEP_WIDTH = max(map(len, STEPS.values())) + 1

# e.g. "M 1234 I step 4 ok 320ms 127.1.2.1:8421 on MUSTER-demo"
_STEP = re.compile(r"M \d+ [A-Z] step ([1-9]) ([a-z_]+) (\d+)ms ?(.*)")
_LOOK_S = 0.1
_WRITE_S = 10.0
_LONGEST_LINE = 4096


def follow(port: str, seconds: float | None = None, restart: bool = False) -> Iterator[str]:
    """Yield lines from the board as they come, with control characters made harmless.

    The end comes after `seconds`; None is never. `restart` first stops the program and lets it
    begin anew. Raises PortError if the port cannot be opened, takes nothing, or vanishes.
    """
    line = open_port(port, _LOOK_S, _WRITE_S)
    try:
        if restart:
            restart_program(line)
        yield from _lines(line, None if seconds is None else time.monotonic() + seconds)
    except serial.SerialTimeoutException:
        raise took_nothing(port, _WRITE_S) from None
    except OSError as e:
        raise PortError(
            f"the port {port} vanished ({e}); was the board unplugged or reset? Call again"
        ) from None
    finally:
        line.close()


def restarted(port: str) -> None:
    """Stop the program and let it begin anew. Raises PortError if the port does not take it."""
    line = open_port(port, _LOOK_S, _WRITE_S)
    try:
        restart_program(line)
    except OSError as e:  # of a write that takes too long, too
        raise PortError(f"the port {port} took nothing ({e})") from None
    finally:
        line.close()


def _lines(line: serial.Serial, end: float | None) -> Iterator[str]:
    data = b""
    while end is None or time.monotonic() < end:
        data += line.read(max(1, line.in_waiting))
        *whole, data = data.split(b"\n")
        if len(data) > _LONGEST_LINE:
            whole, data = [*whole, data], b""
        for text in whole:
            yield shown(text.rstrip(b"\r"))
    if data:
        yield shown(data.rstrip(b"\r"))


def highlighted(text: str, colour: bool) -> str:
    """Return the line for a person: steps get their names, everything else stays as it is."""
    found = _STEP.fullmatch(text)
    if not found:
        return f"\x1b[2m{text}\x1b[0m" if colour and text.startswith("M ") else text
    number, code, ms, detail = found.groups()
    name = STEPS[int(number)]
    mark = code if not colour else f"\x1b[{'32' if code == 'ok' else '31;1'}m{code}\x1b[0m"
    return f"[{number}/9] {name:<{STEP_WIDTH}}{int(ms):>6} ms  {mark}  {detail}".rstrip()

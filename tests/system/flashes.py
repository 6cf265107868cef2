# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Numbers that a device's LED has flashed: what a person counts."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

from muster_harness.units.emulated import EmulatedBoard

# A flash of a number; those of states are shorter or longer.
_SHORTEST_S, _LONGEST_S = 0.17, 0.42
_PAUSE_S = 1.0  # between two numbers
_LOOK_S = 0.1


def wait_for_flashes(board: EmulatedBoard, number: int, timeout_s: float) -> None:
    """Until the LED has flashed so many times in a row since the board was made."""
    end = time.monotonic() + timeout_s
    while number not in (seen := set(_numbers(board))):
        if time.monotonic() > end:
            raise TimeoutError(
                f"{number} flashes wanted within {timeout_s:g} s, {sorted(seen)} seen"
            )
        time.sleep(_LOOK_S)


def _numbers(board: EmulatedBoard) -> Iterator[int]:
    count, dark_from_s = 0, 0.0
    for lit_s, dark_s in _lit(board):
        if lit_s - dark_from_s >= _PAUSE_S:
            if count:
                yield count
            count = 0
        count = count + 1 if _SHORTEST_S <= dark_s - lit_s <= _LONGEST_S else 0
        dark_from_s = dark_s


def _lit(board: EmulatedBoard) -> Iterator[tuple[float, float]]:
    """From when to when, by the board's log."""
    led = board.facts.led
    assert led is not None
    log = Path(board.log_path).read_text(encoding="utf-8")
    found = re.findall(rf"^ *([\d.]+) .*\* pin {led.pin} is ([01])$", log, re.MULTILINE)
    lit_from_s = None
    for at_s, level in found:
        if int(level) == led.active:
            lit_from_s = float(at_s)
        elif lit_from_s is not None:
            yield lit_from_s, float(at_s)
            lit_from_s = None

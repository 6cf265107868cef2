# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device's own time, which runs fast while a test waits; such a test needs a board's clock."""

import contextlib
import re
import time
from collections.abc import Iterator

from muster_harness.units.emulated import EmulatedBoard

_SPEED = 10
_HOLDING_SPEED = 3
_LOOK_S = 0.01


@contextlib.contextmanager
def hasty(board: EmulatedBoard, speed: float = _SPEED) -> Iterator[None]:
    """Meanwhile the board's clock runs so many times as fast; servers and networks do not."""
    board.clock.scale(speed)
    try:
        yield
    finally:
        board.clock.scale(1)


def hold(board: EmulatedBoard, seconds: float) -> None:
    """Hold the button for so many of the board's seconds; leave it some to spare.

    Of a pause between two looks at the button the firmware counts 250 ms at most. So the clock
    runs no faster than a busy host can look, or a long press would be taken for a short one.
    """
    with hasty(board, _HOLDING_SPEED):
        board.press("button", ms=round(seconds * 1000))


def tries(board: EmulatedBoard, what: str, seconds: float) -> int:
    """In how many lines of its log the device says this within so many of its seconds from now.

    Each line bears the board's own time, so that a slow host only makes this take longer.
    """
    begin_ms = board.clock.ticks_ms()
    end_ms = begin_ms + seconds * 1000
    with hasty(board):
        while board.clock.ticks_ms() <= end_ms:
            time.sleep(_LOOK_S)
    said = re.findall(rb"M (\d+) \w ([^\r\n]*)", bytes(board.output))
    stamps = [int(stamp) for stamp, text in said if what.encode() in text]
    return sum(begin_ms <= stamp <= end_ms for stamp in stamps)

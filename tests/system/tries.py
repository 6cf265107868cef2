# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""How often a device tries something, counted on its own clock, which runs fast meanwhile."""

import re
import time

from muster_harness.units.emulated import EmulatedBoard

_SPEED = 10
_LOOK_S = 0.01


def tries(board: EmulatedBoard, what: str, seconds: float) -> int:
    """In how many lines of its log the device says this within so many of its seconds from now.

    Each line bears the board's own time, so that a slow host only makes this take longer.
    """
    begin_ms = board.clock.ticks_ms()
    end_ms = begin_ms + seconds * 1000
    board.clock.scale(_SPEED)
    try:
        while board.clock.ticks_ms() <= end_ms:
            time.sleep(_LOOK_S)
    finally:
        board.clock.scale(1)
    said = re.findall(rb"M (\d+) \w ([^\r\n]*)", bytes(board.output))
    stamps = [int(stamp) for stamp, text in said if what.encode() in text]
    return sum(begin_ms <= stamp <= end_ms for stamp in stamps)

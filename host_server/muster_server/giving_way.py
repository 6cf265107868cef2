# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Devices go before those who look at them.

The interpreter shares its lock fairly: somebody who lists all devices, without a pause, would take
as much of it as all syncs together. So whoever makes a page lets devices go first, as long as that
keeps nobody waiting for ever.
"""

import time

from muster_server import lane

_LOOK_S = 0.002
_LONGEST_S = 0.02


def give_way() -> None:
    """Wait until no lane of this process has work, at most 20 ms; for other threads, in between,
    every few ms of computing. In the lane itself it does nothing.
    """
    ends = time.monotonic() + _LONGEST_S
    while lane.batch() is None and lane.is_at_work() and time.monotonic() < ends:
        time.sleep(_LOOK_S)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A trial that fails, for now, and a device that comes home to find home gone."""

import contextlib

from muster_harness.errors import ExpectTimeout
from tests.torture.bench import Bench
from tests.torture.scenario import COMMITTED, SPEED, WAIT_S, Scenario, at_work, committed, nothing

_ALONE_S = 15.0


def _strand(bench: Bench) -> None:
    bench.story.operational.remove()
    bench.board.clock.scale(SPEED)
    bench.board.power_on()
    bench.board.expect(rb"step 7 ok", WAIT_S)
    bench.story.onboarding.remove()
    bench.board.expect(rb"step 8 wifi_no_ap", WAIT_S)
    bench.board.expect(rb"step 4 wifi_no_ap", WAIT_S)
    bench.story.operational.restore()
    committed(bench)
    bench.board.clock.scale(1)
    bench.settled()


def _strand_heal(bench: Bench, found: int) -> None:
    """Home is gone for good, but for a device that had not got anything yet."""
    bench.story.onboarding.remove()
    bench.board.clock.scale(SPEED)
    if found:
        at_work(bench)
        return
    with contextlib.suppress(ExpectTimeout):
        bench.board.expect(COMMITTED, _ALONE_S)
        bench.wait_for("registered")
        return
    bench.story.onboarding.restore()
    committed(bench)


STRANDED = Scenario(
    "home is gone",
    None,
    nothing,
    _strand,
    _strand_heal,
    (0, 1),
    proves=True,
    keeps=True,
)

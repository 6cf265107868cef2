# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A way in which a device's configuration changes, and what all of these have in common."""

from collections.abc import Callable
from dataclasses import dataclass

from muster_harness.errors import ExpectTimeout
from tests.torture.bench import Bench

LONG_S = 8.0  # between 5 and 15 s, even if the host is busy
LONGEST_S = 25.0
PRESSES = 4
_SPEEDS = (10, 10, 4, 2)
WAIT_S = 40.0
SPEED = 10  # of the board's clock, where a trial takes all its time
COMES_HOME_S = 60.0  # with a message lost, doubled or late, and a clock that runs faster
COMMITTED = rb"life committed version (\d+)"
AT_WORK = rb"step 6 ok \d+ms keep"


@dataclass(frozen=True)
class Scenario:
    """`prepare` is what people do at the portal before; the board is off, and all else as `after`
    another scenario has left it. `act` switches the board on and ends with the change made. `heal`
    begins with the board on, after a cut, and is told which version this start runs on (0: none);
    it ends with the change made too, or raises. `go` is `act` where messages are lost, told how
    fast the board's clock shall run; None where no message leads to the change. `keeps`: once the
    device has the new version it never starts without it, committed or as a candidate.
    """

    name: str
    after: str | None
    prepare: Callable[[Bench], None]
    act: Callable[[Bench], None]
    heal: Callable[[Bench, int], None]
    versions: tuple[int, int]  # before and after the change; 0: no configuration
    proves: bool  # the new version may be found only once it has been registered
    go: Callable[[Bench, float], None] | None = None
    keeps: bool = False


def pressed(bench: Bench, seconds: float, said: bytes, timeout_s: float = 3.0) -> None:
    """Press until the device says that it has understood, as a person does who watches the LED.

    On a busy machine a board whose clock runs fast may see half of a press: each is slower.
    """
    for speed in _SPEEDS:
        bench.press(seconds, speed)
        try:
            bench.board.expect(said, timeout_s)
            return
        except ExpectTimeout as late:
            error = late
    raise error


def at_work(bench: Bench) -> None:
    """Wait until the device runs on its configuration, and the configuration server has told it to
    keep that."""
    bench.board.expect(AT_WORK, WAIT_S)


def committed(bench: Bench) -> None:
    bench.board.expect(COMMITTED, WAIT_S)
    bench.wait_for("registered")


def nothing(bench: Bench) -> None:
    pass


def until(said: bytes) -> Callable[[Bench, float], None]:
    """The device goes there by itself."""

    def go(bench: Bench, speed: float) -> None:
        bench.board.clock.scale(speed)
        bench.board.power_on()
        bench.board.expect(said, COMES_HOME_S)

    return go

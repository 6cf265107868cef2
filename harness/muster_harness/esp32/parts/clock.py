# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board's own time: the host's, or a virtual one that is scaled, jumps and skips waits.

The timeline counts microseconds. An ordinary board's is the host's monotonic clock; a virtual
board reads its own out of a page that it shares with the supervisor, so that a change holds at
once, in a busy program too.
"""

import heapq
import itertools
import os
import struct
import time
from collections.abc import Callable
from fractions import Fraction

from muster_harness.errors import BoardError
from muster_harness.loop import Loop, Timer

TICKS_PERIOD = 1 << 30  # MICROPY_PY_TIME_TICKS_PERIOD of a 32-bit port
_SKIPPED_AT = 128  # in the page: what the program has skipped by itself
# A number of the edition (again at the end), host's and board's time of the anchor, scale,
# whether waits are skipped, grace, shortest skip, time of the supervisor's next timer
_PAGE = struct.Struct("<10q")
_NEVER = 1 << 60


def _host_us() -> int:
    return time.monotonic_ns() // 1000


class BoardClock:
    """One board's timeline, and timers on it. `now_us` may be called from any thread."""

    def __init__(self, loop: Loop, is_virtual: bool):
        self._loop = loop
        self.is_virtual = is_virtual
        self._anchor = (_host_us(), _host_us(), Fraction(1))
        self._edition = 0
        self._skips = False
        self._holds = 0
        self._grace_us = self._shortest_us = 0
        self._timers: list[tuple[int, int, Timer]] = []
        self._order = itertools.count()
        self._armed: Timer | None = None
        self.page_fd: int | None = None
        self._world_us = time.time_ns() // 1000 - self.now_us()
        self.ticks_start_ms = 0
        self._boot_us = self.now_us()
        if is_virtual:
            self.page_fd = os.memfd_create("clock-page", os.MFD_CLOEXEC)
            os.ftruncate(self.page_fd, 4096)
            self._publish()

    def close(self) -> None:
        if self.page_fd is not None:
            os.close(self.page_fd)
            self.page_fd = None

    # -- reading

    def now_us(self) -> int:
        host_us, board_us, scale = self._anchor
        return board_us + int((_host_us() - host_us) * scale) + self._skipped_us()

    def world_s(self) -> float:
        """Return Unix time as a right clock shows it that goes like this board's."""
        return (self.now_us() + self._world_us) / 1e6

    @property
    def boot_us(self) -> int:
        """The place on the timeline where ticks are zero."""
        return self._boot_us

    def ticks_ms(self) -> int:
        return (self.now_us() - self._boot_us) // 1000 % TICKS_PERIOD

    def chip_starts(self) -> None:
        self._boot_us = self.now_us() - self.ticks_start_ms * 1000

    def uptime_ms(self) -> int:
        """Return the time since the chip has started."""
        return (self.now_us() - self._boot_us) // 1000 - self.ticks_start_ms

    def _skipped_us(self) -> int:
        if self.page_fd is None:
            return 0
        return int.from_bytes(os.pread(self.page_fd, 8, _SKIPPED_AT), "little")

    # -- changing, in the board's loop

    def scale(self, factor: float) -> None:
        """Let the board's time pass so many times as fast as the host's.

        Raises BoardError for a factor outside 0.001 to 100,000, or without virtual time.
        """
        self._require_virtual()
        if not 0.001 <= factor <= 100_000:
            raise BoardError(f"a clock's scale is 0.001 to 100000, not {factor!r}")
        host_us = _host_us()
        anchored_us, board_us, scale = self._anchor
        board_us += int((host_us - anchored_us) * scale)
        self._anchor = (host_us, board_us, Fraction(factor).limit_denominator(1_000_000))
        self._rearm()

    def jump(self, seconds: float) -> None:
        """Go forward by so many seconds, or, with a negative number, back."""
        self._require_virtual()
        host_us, board_us, scale = self._anchor
        self._anchor = (host_us, board_us + int(seconds * 1e6), scale)
        self._run_due()

    @property
    def skips(self) -> bool:
        """True while waits are skipped."""
        return self._skips and not self._holds

    def host_s(self, seconds: float) -> float:
        """Return how long this host has to wait until so much of the board's time has passed."""
        return seconds / float(self._anchor[2])

    def hold(self) -> None:
        """Skip nothing until `let_go`: somebody does something that the program shall see."""
        self._holds += 1
        self._publish()

    def let_go(self) -> None:
        self._holds -= 1
        self._publish()

    def skip_idle(self, skips: bool, grace_s: float, shortest_s: float) -> None:
        self._require_virtual()
        self._skips = skips
        self._grace_us, self._shortest_us = int(grace_s * 1e6), int(shortest_s * 1e6)
        self._publish()

    def leap(self, target_us: int | None) -> bool:
        """Go to a time, but no further than to the next timer; tell whether there was anywhere to
        go.

        Without a time, go to the next timer.
        """
        self._drop_cancelled()
        next_us = self._timers[0][0] if self._timers else None
        if next_us is not None and (target_us is None or next_us < target_us):
            target_us = next_us
        if target_us is None:
            return False
        host_us, board_us, scale = self._anchor
        self._anchor = (host_us, board_us + max(0, target_us - self.now_us()), scale)
        self._run_due()
        return True

    def _require_virtual(self) -> None:
        if not self.is_virtual:
            raise BoardError(
                "this board's clock is the host's; make the board with virtual_time=True"
            )

    # -- timers

    def later(self, delay_s: float, function: Callable[[], None]) -> Timer:
        """Call a function in the board's loop when so much of the board's time has passed."""
        if not self.is_virtual:
            return self._loop.later(delay_s, function)
        due_us = self.now_us() + int(delay_s * 1e6)
        timer = Timer(due_us, function)
        heapq.heappush(self._timers, (due_us, next(self._order), timer))
        if self._timers[0][2] is timer:
            self._rearm()
        return timer

    def _run_due(self) -> None:
        now_us = self.now_us()
        while self._timers and self._timers[0][0] <= now_us:
            timer = heapq.heappop(self._timers)[2]
            if timer.function is not None:
                timer.function()
        self._rearm()

    def _rearm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        self._drop_cancelled()
        if self._timers:
            left_us = max(0, self._timers[0][0] - self.now_us())
            self._armed = self._loop.later(float(left_us / self._anchor[2]) / 1e6, self._run_due)
        self._publish()

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2].function is None:
            heapq.heappop(self._timers)

    def _publish(self) -> None:
        if self.page_fd is None:
            return
        self._edition += 1
        host_us, board_us, scale = self._anchor
        horizon_us = self._timers[0][0] if self._timers else _NEVER
        page = _PAGE.pack(
            self._edition,
            host_us,
            board_us,
            scale.numerator,
            scale.denominator,
            self.skips,
            self._grace_us // 1000,
            self._shortest_us,
            horizon_us,
            self._edition,
        )
        os.pwrite(self.page_fd, page, 0)


class ClockDoor:
    """A board's time for tests and servers; every method may be called from any thread.

    `scale`, `jump` and `skip_idle` need a board made with `virtual_time=True`; they raise
    BoardError on another.

    These follow the board's clock: ticks, the real-time clock, sleeps, polls, timeouts, Timer, the
    watchdog, deep sleep, and every delay of the radio. These do not: mDNS and everything else that
    other programs of this host do, the time that computing takes, and TLS, which asks the host's
    clock as well as the board's whether a certificate is good.
    """

    def __init__(self, loop: Loop, clock: BoardClock, rtc_s: Callable[[], float]):
        self._loop = loop
        self._clock = clock
        self._rtc_s = rtc_s

    def time(self) -> float:
        """Return Unix time as a right clock shows it in the board's world: give it to servers.

        The time begins with the host's, then goes, leaps and skips with the board. `rtc()` is the
        time that the board itself believes.
        """
        return self._clock.world_s()

    def rtc(self) -> float:
        """Return the board's real-time clock as Unix time: from 2000-01-01 on until somebody sets
        it."""
        return self._rtc_s()

    def ticks_ms(self) -> int:
        """Return the value of time.ticks_ms() on the board now."""
        return self._clock.ticks_ms()

    def start_ticks(self, ms: int) -> None:
        """Set where ticks begin at the next start of the chip, e.g. `2**30 - 5000`."""
        self._loop.call(lambda: setattr(self._clock, "ticks_start_ms", ms))

    def scale(self, factor: float) -> None:
        """Let the board's time pass so many times as fast as the host's, from now on."""
        self._loop.call(lambda: self._clock.scale(factor))

    def jump(self, seconds: float) -> None:
        """Move ticks and real-time clock together, by seconds; timers that fall due run now."""
        self._loop.call(lambda: self._clock.jump(seconds))

    def skip_idle(
        self, skips: bool = True, *, grace_s: float = 0.25, shortest_s: float = 0.0
    ) -> None:
        """Leap to the next deadline whenever the program only waits.

        For `grace_s` of the host's time after each network operation nothing is skipped, so that
        the other side can answer; the close of the last socket that has said something ends that.
        `shortest_s` makes every skip at least so long, as if the board was late: a program that
        looks at a button every 20 ms then costs less.
        """
        self._loop.call(lambda: self._clock.skip_idle(skips, grace_s, shortest_s))

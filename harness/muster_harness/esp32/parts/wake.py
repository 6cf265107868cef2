# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sleep and its end: by time, or by levels on pins, as `esp32.wake_on_…` and `Pin.irq` say."""

from collections.abc import Callable
from dataclasses import dataclass, field

from muster_harness.control import Refusal
from muster_harness.esp32.parts.chips import Chip
from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.loop import Timer

LIGHT = 2  # machine.SLEEP
DEEP = 4  # machine.DEEPSLEEP
EXT0, EXT1, TIMER, GPIO = 2, 3, 4, 7  # machine.wake_reason()


@dataclass
class WakeSources:
    """The pins that end a sleep.

    They last over a soft reset, as the port's static variables do, and go with the chip's start.
    """

    chip: Chip
    ext0_pin: int | None = None
    ext0_level: int = 0
    ext0_sleeps: int = LIGHT | DEEP
    ext1_pins: tuple[int, ...] = ()
    ext1_level: int = 0
    gpio_pins: tuple[int, ...] = ()
    gpio_level: int = 0
    woken_by: tuple[int, ...] = field(default=())  # machine.wake_pins()

    def on_ext0(self, pins: list[int] | None, level: bool | None) -> None:
        """Set EXT0's pin and level. None for `pins` keeps the pin; an empty list takes it away."""
        if pins is not None:
            self._require_rtc(pins, "invalid pin")
            self.ext0_pin = pins[0] if pins else None
        if level is not None:
            self.ext0_level = int(level)
        self.ext0_sleeps = LIGHT | DEEP

    def on_pin(self, pins: list[int], level: bool, sleeps: int) -> None:
        """Set the pin of `Pin.irq(wake=…)`, or take it away if `sleeps` is 0.

        Raises Refusal if another pin holds the chip's one EXT0.
        """
        if not sleeps:
            if self.ext0_pin == pins[0]:
                self.ext0_pin = None
            return
        self._require_rtc(pins, "invalid pin for wake")
        if not self.chip.has_ext0:
            return  # the port's code for it is left out there
        if self.ext0_pin not in (None, pins[0]):
            raise Refusal("ValueError", "no resources")
        self.ext0_pin, self.ext0_level, self.ext0_sleeps = pins[0], int(level), sleeps

    def on_ext1(self, pins: list[int] | None, level: bool | None) -> None:
        if pins is not None:
            self._require_rtc(pins, "invalid pin")
            self.ext1_pins = tuple(sorted(set(pins)))
        if level is not None:
            self.ext1_level = int(level)

    def on_gpio(self, pins: list[int] | None, level: bool | None) -> None:
        if pins is not None:
            self.gpio_pins = tuple(sorted(set(pins)))
        if level is not None:
            self.gpio_level = int(level)

    def require_possible(self, sleep: int) -> None:
        """Check that this chip can sleep so. Raises Refusal if it cannot."""
        if sleep != DEEP or not self.gpio_pins:
            return
        if not self.chip.deep_sleep_gpios:
            raise Refusal("ValueError", "DEEPSLEEP with gpio pins not supported on this chip")
        if not self.chip.deep_sleep_gpios.issuperset(self.gpio_pins):
            raise Refusal("ValueError", "wake-up pin not supported")

    def reason(self, sleep: int, level: Callable[[int], int]) -> int | None:
        """Return the wake reason if these levels end such a sleep; `woken_by` gets the pins."""
        ext0 = self.ext0_pin if self.ext0_sleeps & sleep else None
        if ext0 is not None and level(ext0) == self.ext0_level:
            return EXT0
        if self.ext1_pins:
            matching = tuple(n for n in self.ext1_pins if level(n) == self.ext1_level)
            # any high, or all low
            if matching and (self.ext1_level or matching == self.ext1_pins):
                self.woken_by = matching
                return EXT1
        matching = tuple(n for n in self.gpio_pins if level(n) == self.gpio_level)
        if matching:
            self.woken_by = matching if sleep == DEEP else ()
            return GPIO
        return None

    def _require_rtc(self, pins: list[int], complaint: str) -> None:
        if not self.chip.wake_pins.issuperset(pins):
            raise Refusal("ValueError", complaint)


class Sleep:
    """The chip's sleep. `on_wake(kind)` is called in the board's loop at its end."""

    def __init__(
        self,
        chip: Chip,
        clock: BoardClock,
        level: Callable[[int], int],
        on_wake: Callable[[int], None],
    ):
        self._chip = chip
        self._clock = clock
        self._level = level
        self._on_wake = on_wake
        self._timer: Timer | None = None
        self.kind: int | None = None  # LIGHT or DEEP, None while awake
        self.reason = 0
        self.sources = WakeSources(chip)

    def chip_starts(self, from_deep_sleep: bool) -> None:
        if not from_deep_sleep:
            self.reason = 0
        woken_by = self.sources.woken_by if from_deep_sleep else ()
        self.sources = WakeSources(self._chip, woken_by=woken_by)

    def begin(self, kind: int, time_ms: int | None) -> None:
        self.kind = kind
        self.sources.woken_by = ()
        if time_ms is not None:
            self._timer = self._clock.later(time_ms / 1000, lambda: self._wake(TIMER))
        # not at once: whoever begins it has something to finish
        self._clock.later(0, self.look)

    def look(self) -> None:
        """End the sleep if a pin says so."""
        if self.kind is not None:
            reason = self.sources.reason(self.kind, self._level)
            if reason is not None:
                self._wake(reason)

    def end(self) -> None:
        self.kind = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self, reason: int) -> None:
        kind = self.kind
        self.end()
        if kind is not None:
            self.reason = reason
            self._on_wake(kind)

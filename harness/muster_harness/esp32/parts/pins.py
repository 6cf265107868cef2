# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board's pins: levels that the program drives, and levels put on them from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from muster_harness.control import Refusal, machine_word

_OUT = 3
_OPEN_DRAIN = 7
_PULL_DOWN = 1
_PULL_UP = 2
_RISING = 1
_FALLING = 2


@dataclass
class _Pin:
    mode: int = 1
    pull: int = 0
    latch: int = 0  # what the program writes
    outside: int | None = None  # what is wired to it; None: nothing
    trigger: int = 0
    drive: int = 2
    is_held: bool = False  # mode and level stay over resets and sleep, until the power goes


class Pins:
    """All pins of a board.

    `on_interrupt(pin)` is called for an edge that the program waits for; `on_change(pin, level,
    at_us)` for each new level of a pin that is driven from either side: at_us is the board's time
    if the program has driven it, None if it changed just now.
    """

    def __init__(
        self,
        count: int,
        missing: frozenset[int],
        input_only: frozenset[int],
        on_interrupt: Callable[[int], None],
        on_change: Callable[[int, int, int | None], None],
        signal_level: Callable[[int], int | None] = lambda number: None,
    ):
        self._pins = {n: _Pin() for n in range(count) if n not in missing}
        self._input_only = input_only
        self._nets: dict[int, frozenset[int]] = {}  # of pins that are wired to each other
        self._signal_level = signal_level  # of a pin with a PWM, at this moment
        self._on_interrupt = on_interrupt
        self._on_change = on_change

    def reset(self, keeps_levels: bool) -> None:
        """Put the pins into their state after a reset.

        After a soft reset interrupts are off and levels stay; after a hard one only the levels
        from outside stay.
        """
        for pin in self._pins.values():
            pin.trigger = 0
            if not keeps_levels and not pin.is_held:
                pin.mode, pin.pull, pin.latch, pin.drive = 1, 0, 0, 2

    def sleep(self) -> None:
        """Begin deep sleep: pins that are not held drive nothing; pulls stay, so that a pin can
        wake."""
        for pin in self._pins.values():
            pin.trigger = 0
            if not pin.is_held:
                pin.mode, pin.latch = 1, 0

    def lose_power(self) -> None:
        for pin in self._pins.values():
            pin.is_held = False

    def level(self, number: int) -> int:
        self._find(number)
        for n in self._net(number):
            if (level := self._signal_level(n)) is not None:
                return level
        net = [self._pins[n] for n in self._net(number)]
        driven = [p.latch for p in net if p.mode == _OUT]
        driven += [0 for p in net if p.mode == _OPEN_DRAIN and not p.latch]
        driven = driven or [p.outside for p in net if p.outside is not None]
        if driven:
            return min(driven)
        return 1 if any(p.pull & _PULL_UP for p in net) else 0

    def wire(self, number: int, other: int) -> None:
        """Put a wire between two pins, for good."""
        self._find(number)
        self._find(other)
        net = self._net(number) | self._net(other)
        for each in net:
            self._nets[each] = net

    def are_wired(self, number: int, other: int) -> bool:
        """Tell whether they are the same pin, or a wire leads from one to the other."""
        return other in self._net(number)

    def _net(self, number: int) -> frozenset[int]:
        return self._nets.get(number) or frozenset([number])

    def drive(self, number: int, level: int | None) -> None:
        """Put a level on a pin from outside; None lets go of it."""
        pin = self._find(number)
        before = self.level(number)
        pin.outside = level
        self._changed(number, before)

    # -- what the program asks

    def ask(
        self,
        number: int,
        verb: str,
        *arguments: Any,
    ) -> int | str | None:
        pin = self._find(number)
        before, at_us = self.level(number), None
        if verb == "read":
            return before
        if verb == "describe":
            return _described(number, pin)
        if verb == "init":
            self._configure(number, pin, *arguments)
        elif verb == "write":
            at_us, pin.latch = arguments
        elif verb == "toggle":
            at_us, pin.latch = arguments[0], pin.latch ^ 1
        elif verb == "irq":
            pin.trigger = machine_word(arguments[0])
        self._changed(number, before, at_us)
        return None

    def _configure(
        self,
        number: int,
        pin: _Pin,
        mode: int | None,
        pull: int | None,
        level: int | None,
        drive: int | None,
        hold: bool | None,
    ) -> None:
        for given in (mode, pull, drive):
            if given is not None:
                machine_word(given)
        if mode is not None and mode & 2 and number in self._input_only:
            raise Refusal("ValueError", "pin can only be input")
        if level is not None:
            pin.latch = level
        if mode is not None:
            pin.mode = mode
        if pull != -1:
            pin.pull = pull or 0
        if number not in self._input_only:
            pin.drive = drive if drive is not None and 0 <= drive < 4 else pin.drive
            pin.is_held = pin.is_held if hold is None else bool(hold)

    def _changed(self, number: int, before: int, at_us: int | None = None) -> None:
        after = self.level(number)
        if after == before:
            return
        for each in sorted(self._net(number)):
            self._on_change(each, after, at_us)
            if self._pins[each].trigger & (_RISING if after else _FALLING):
                self._on_interrupt(each)

    def _find(self, number: int) -> _Pin:
        pin = self._pins.get(number)
        if pin is None:
            raise Refusal("ValueError", "invalid pin")
        return pin


def _described(number: int, pin: _Pin) -> str:
    """Return a pin's text, as machine_pin_print() of ports/esp32/machine_pin.c does."""
    words = [f"{number}", f"mode=Pin.{'OUT' if pin.mode & 2 else 'IN'}"]
    if pin.pull:
        words.append(f"pull=Pin.PULL_{'UP' if pin.pull & _PULL_UP else 'DOWN'}")
    if pin.drive != 2:
        words.append(f"drive=Pin.DRIVE_{pin.drive}")
    return f"Pin({', '.join(words)})"

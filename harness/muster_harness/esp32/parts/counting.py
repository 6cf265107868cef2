# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The chip's pulse counters: they see every edge of a pin, however busy the program is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_INCREMENT = 1
_REVERSE, _HOLD = 1, 2
_IRQ_THRESHOLD1, _IRQ_THRESHOLD0, _IRQ_MIN, _IRQ_MAX, _IRQ_ZERO = 4, 8, 16, 32, 64


@dataclass
class Channel:
    """The effect of an edge of `pin`, and how the level of `mode_pin` changes it."""

    pin: int | None = None
    rising: int = 0
    falling: int = 0
    mode_pin: int | None = None
    mode_low: int = 0
    mode_high: int = 0


@dataclass
class PulseUnit:
    channels: tuple[Channel, Channel] = field(default_factory=lambda: (Channel(), Channel()))
    value: int = 0
    low: int = 0  # where it begins anew; 0 is nowhere
    high: int = 0
    thresholds: tuple[int | None, int | None] = (None, None)
    trigger: int = 0
    is_running: bool = False


class Counters:
    """All units. `on_event(unit, flags)` is called for what the program wants to hear of."""

    def __init__(self, level: Callable[[int], int], on_event: Callable[[int, int], None]):
        self._level = level
        self._on_event = on_event
        self._units: dict[int, PulseUnit] = {}

    def reset(self) -> None:
        """The program begins anew."""
        self._units.clear()

    def edge(self, pin: int, level: int) -> None:
        for number, unit in self._units.items():
            if unit.is_running:
                for channel in unit.channels:
                    if channel.pin == pin:
                        self._count(
                            number, unit, channel, channel.rising if level else channel.falling
                        )

    def _count(self, number: int, unit: PulseUnit, channel: Channel, action: int) -> None:
        if not action:
            return
        step = 1 if action == _INCREMENT else -1
        if channel.mode_pin is not None:
            mode = channel.mode_high if self._level(channel.mode_pin) else channel.mode_low
            if mode == _HOLD:
                return
            step = -step if mode == _REVERSE else step
        unit.value += step
        flags = 0
        if unit.value in (unit.high, unit.low) and unit.value:
            flags = _IRQ_MAX if unit.value == unit.high else _IRQ_MIN
            unit.value = 0
        if unit.value == 0:
            flags |= _IRQ_ZERO
        for threshold, flag in zip(
            unit.thresholds, (_IRQ_THRESHOLD0, _IRQ_THRESHOLD1), strict=True
        ):
            if unit.value == threshold:
                flags |= flag
        if flags & unit.trigger:
            self._on_event(number, flags & unit.trigger)

    # -- what the program asks

    def ask(self, number: int, verb: str, *arguments: Any) -> int | None:
        unit = self._units.setdefault(number, PulseUnit())
        if verb == "channel":
            index, pins, logic = arguments
            channel = unit.channels[index]
            if pins is not None:
                channel.pin, channel.mode_pin = pins
            if logic is not None:
                channel.rising, channel.falling, channel.mode_low, channel.mode_high = logic
        elif verb == "limits":
            unit.low, unit.high, *thresholds = arguments
            unit.thresholds = thresholds[0], thresholds[1]
            unit.value = 0
        elif verb == "value":
            before = unit.value
            unit.value = arguments[0] if arguments else before
            return before
        elif verb == "run":
            unit.is_running = arguments[0]
        elif verb == "irq":
            unit.trigger = arguments[0]
        elif verb == "end":
            del self._units[number]
        return None

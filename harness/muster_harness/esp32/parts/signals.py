# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Signals of a board's program on pins beyond levels: PWM, and colours for LED strips."""

from dataclasses import dataclass

from muster_harness.errors import BoardError


@dataclass(frozen=True)
class PWMSignal:
    """A PWM as it can be measured on the pin: `duty` is the share of time that the pin is high."""

    freq_hz: int
    duty: float


class Signals:
    """The newest signal of each pin."""

    def __init__(self) -> None:
        self.pwm: dict[int, PWMSignal] = {}
        self.streams: dict[int, bytes] = {}
        self.dac: dict[int, float] = {}  # volts
        self.pulses: dict[int, list[tuple[int, float]]] = {}  # of the RMT: level, microseconds

    def reset(self) -> None:
        """End all PWMs, as a start of the chip or the program does; a strip keeps its colours."""
        self.pwm.clear()
        self.dac.clear()

    def set_pwm(self, pin: int, freq_hz: int | None, duty_u16: int) -> None:
        if freq_hz is None:
            self.pwm.pop(pin, None)
        else:
            self.pwm[pin] = PWMSignal(freq_hz, duty_u16 / 65536)

    def level(self, pin: int, now_s: float) -> int | None:
        """Return the level that a PWM puts on its pin at a moment; None where there is none."""
        signal = self.pwm.get(pin)
        if signal is None:
            return None
        return int(now_s * signal.freq_hz % 1 < signal.duty)

    def pixels(self, pin: int, order: str) -> list[tuple[int, ...]]:
        """Return the pixels of a strip on the pin, each as in the order's letters sorted to
        RGB(W).

        Raises BoardError if the pin got no whole number of pixels.
        """
        wanted = [order.index(colour) for colour in "RGBW" if colour in order]
        data = self.streams.get(pin, b"")
        if len(data) % len(order):
            raise BoardError(
                f"pin {pin} got {len(data)} bytes, no whole number of {len(order)}-byte pixels"
            )
        pixels = (data[i : i + len(order)] for i in range(0, len(data), len(order)))
        return [tuple(pixel[i] for i in wanted) for pixel in pixels]

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's pins and buses over time, in a file that PulseView and GTKWave open (VCD).

Value change dump is IEEE 1364, 18. A byte on a bus is a change of eight wires; bytes that come
together stand a microsecond apart.
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

_BUSES = (
    *("i2c_address", "i2c_written", "i2c_read"),
    *(f"spi{n}_{wire}" for n in (1, 2) for wire in ("mosi", "miso")),
    *(f"uart{n}_{wire}" for n in range(3) for wire in ("tx", "rx")),
)
_MOST_BYTES = 16 << 20


class WaveFile:
    """Begins with the first change; usable from any thread."""

    def __init__(self, path: Path, pins: Iterable[int]):
        self.path = path
        self._names = {**{f"pin{n}": 1 for n in sorted(pins)}, **dict.fromkeys(_BUSES, 8)}
        self._ids = {name: _short(n) for n, name in enumerate(self._names)}
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self._began_us = self._last_us = 0
        self._room = _MOST_BYTES
        self._is_open = True

    def close(self) -> None:
        """End the file. A second call does nothing."""
        with self._lock:
            self._is_open = False
            if self._file is not None:
                self._file.close()
                self._file = None

    def pin(self, number: int, level: int, now_us: int) -> None:
        """A pin has another level now."""
        self._write(now_us, [(f"pin{number}", level)])

    def bytes(self, name: str, data: bytes, now_us: int) -> None:
        """Bytes have gone over a bus, e.g. "uart1_tx"; one that has no wires here is left out."""
        self._write(now_us, [(name, byte) for byte in data])

    def _write(self, now_us: int, values: list[tuple[str, int]]) -> None:
        with self._lock:
            if not self._is_open or self._room <= 0 or not values:
                return
            if values[0][0] not in self._names:
                return
            if self._file is None:
                self._begin(now_us)
            self._last_us = max(self._last_us, now_us - self._began_us)
            for number, (name, value) in enumerate(values):
                self._last_us += number > 0
                self._say(
                    f"#{self._last_us}\n{_change(value, self._names[name])}{self._ids[name]}\n"
                )
            if self._file is not None:
                self._file.flush()

    def _begin(self, now_us: int) -> None:
        self._file = self.path.open("w")
        self._began_us = now_us
        wires = (
            f"$var wire {width} {self._ids[name]} {name} $end\n"
            for name, width in self._names.items()
        )
        self._say("$timescale 1 us $end\n$scope module board $end\n" + "".join(wires))
        self._say("$upscope $end\n$enddefinitions $end\n$dumpvars\n")
        self._say("".join(f"{_unknown(w)}{self._ids[n]}\n" for n, w in self._names.items()))
        self._say("$end\n")

    def _say(self, text: str) -> None:
        if self._file is not None:
            self._room -= self._file.write(text)


def _short(number: int) -> str:
    """A name of printable characters, as the format wants it."""
    return chr(33 + number % 90) + (chr(33 + number // 90) if number >= 90 else "")


def _change(value: int, width: int) -> str:
    return str(value) if width == 1 else f"b{value:08b} "


def _unknown(width: int) -> str:
    return "x" if width == 1 else "bxxxxxxxx "

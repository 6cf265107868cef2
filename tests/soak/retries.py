# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The return of a thousand devices after a common outage, as a distribution."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from muster_harness.esp32.interpreter import find_interpreter

ROOT = Path(__file__).resolve().parents[2]
DEVICES = 1000
_LIMIT_S = 300
_BAR = 60  # characters


@dataclass(frozen=True)
class Return:
    outage_s: int
    delays_ms: tuple[int, ...]  # from the outage's end to each device's next attempt
    attempts: int  # of all devices together, while it lasted

    @property
    def peak_share(self) -> float:
        """The largest share of all devices that comes in any one second."""
        starts = sorted(self.delays_ms)
        most, first = 0, 0
        for last, delay in enumerate(starts):
            while starts[first] <= delay - 1000:
                first += 1
            most = max(most, last - first + 1)
        return most / len(starts)

    @property
    def last_s(self) -> float:
        return max(self.delays_ms) / 1000

    def histogram(self, rows: int = 12) -> str:
        width_ms = max(self.delays_ms) / rows + 1
        counts = [0] * rows
        for delay in self.delays_ms:
            counts[int(delay / width_ms)] += 1
        most = max(counts)
        return "\n".join(
            f"{n * width_ms / 1000:>6.0f} s {count:>5} {'#' * round(count * _BAR / most)}"
            for n, count in enumerate(counts)
        )


def after(outage_s: int, devices: int = DEVICES) -> Return:
    """Asks the firmware's own back-off on MicroPython."""
    script = Path(__file__).parent / "on_board/retries.py"
    arguments = json.dumps([str(ROOT / "firmware"), devices, outage_s * 1000])
    run = subprocess.run(
        [*find_interpreter().command, str(script), arguments],
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=True,
    )
    pairs = [line.split() for line in run.stdout.splitlines()]
    delays = tuple(int(delay) for delay, _ in pairs)
    return Return(outage_s, delays, sum(int(attempts) for _, attempts in pairs))

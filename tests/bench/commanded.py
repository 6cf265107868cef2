# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measures the heap of a device that obeys commands, with a configuration of 4 KiB:

    .venv/bin/python -m tests.bench.commanded       # docs/onem2m.md has the figures

The smallest heap with which it onboards, publishes, and obeys one, less that of an idle board.
"""

import subprocess
import tempfile
import time
from pathlib import Path

import requests

from muster_harness.units.emulated import EmulatedBoard
from tests.bench.onboarding import LARGEST, Bench, idle_heap_kib, smallest
from tests.flash import make_flash

_KIB = 1024
_LED_PIN = 5
_PATIENCE_S = 20.0
# How the device learns of commands: it looks every two seconds, or is told.
WAYS = {"looks": 2, "told": 0}


class Commanded(Bench):
    """Boards that are told to switch an LED on."""

    def is_at_work(self, former: str | None, board: EmulatedBoard) -> bool:
        """Tell whether this board publishes, and obeys."""
        return super().is_at_work(former, board) and self._takes_commands() and self._obeys(board)

    def _takes_commands(self) -> bool:
        device = self.story.device(self.label)["account"]["originator"]
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            try:
                self.story.platform(f"/cse-in/{device}/results")
                return True
            except requests.HTTPError:
                time.sleep(0.1)
        return False

    def _obeys(self, board: EmulatedBoard) -> bool:
        words = ("command", self.label.device_id, '{"led": true}', "--wait", "--timeout", "20s")
        try:
            self.story.owner(*words)
        except subprocess.CalledProcessError:
            return False
        return board.level(_LED_PIN) == 1


def measure() -> dict[str, float]:
    """Return the figure of each way."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as made:
        directory = Path(made)
        flash = make_flash(directory / "idle", with_main=False)
        idle = idle_heap_kib(flash, directory)
        found: dict[str, float] = {}
        for way, commands_s in WAYS.items():
            (directory / way).mkdir()
            with Commanded(directory / way, {"led": _LED_PIN}, commands_s=commands_s) as bench:
                bench.pad_configuration_to(LARGEST)
                least = smallest(lambda kib, b=bench: b.run(kib).is_committed, idle, 256)  # type: ignore[misc]
                found[f"commanded.{way}_min_heap_4k_bytes"] = (least - idle) * _KIB
        return found


if __name__ == "__main__":
    for figure, value in measure().items():
        print(f"{figure:<40}{value:>10.0f}  bar {112 * _KIB}")

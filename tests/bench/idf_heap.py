# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The heap that each chip without PSRAM has left for TLS at a handshake, by its model: as the
firmware keeps it (firmware/muster/room.py), and as it would be without that."""

import tomllib
from pathlib import Path

from muster_harness.esp32.parts.idf_heap import IDFHeap, left_before_tls
from muster_harness.esp32.parts.idf_heap_figures import FIGURES

_BUDGET = Path(__file__).with_name("budget.toml")
_SHARE_OF_64_BIT = 0.7
_ALL = 10**6  # bytes that an application wants who lets the heap grow as far as it can
_PAIRS = 2  # of mbedTLS's buffers, which the firmware keeps


def measure() -> dict[str, float]:
    needed = tomllib.loads(_BUDGET.read_text())["heap"]["onboarding.min_heap_4k_bytes"]
    found: dict[str, float] = {}
    for chip in FIGURES:
        for name, left in (
            ("", kept_for_tls(chip, needed)),
            ("at_worst_", kept_for_tls(chip, _ALL)),
            ("unkept_", left_before_tls(chip, needed)),
            ("unkept_at_worst_", left_before_tls(chip, _ALL)),
        ):
            found |= {
                f"idf_heap.{chip}_{name}free_bytes": left[0],
                f"idf_heap.{chip}_{name}largest_bytes": left[1],
            }
    return found


def kept_for_tls(chip: str, python_64_bit: int) -> tuple[int, int]:
    """Return what there is, all together and in one piece, right before a handshake: the radio
    first, then the room for TLS, then MicroPython's heap, which grows to hold so many bytes."""
    heap = IDFHeap(chip, is_limited=True)
    heap.wifi_begins()
    kept = [number for number in range(_PAIRS) if heap.tls_begins(number)]
    heap.python_holds(int(python_64_bit * _SHARE_OF_64_BIT))
    heap.wifi_is(active=True, joined=True)
    for number in kept:
        heap.tls_ends(number)
    heap.connections_are(1)
    return heap.free_bytes, heap.largest


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name} = {value:g}")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Readings as a small chart: one line for the newest name that has numbers."""

from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, EDGE = 640, 160, 8


@dataclass(frozen=True)
class Chart:
    """A line to draw, and what stands at its edges."""

    name: str
    points: str  # as SVG's polyline takes them, e.g. "8,20 16,18"
    lowest: float
    highest: float
    begins: float  # Unix seconds
    ends: float


def chart_of(readings: list[dict[str, Any]]) -> Chart | None:
    """Return the chart of the newest reading's name; None unless it has two numbers."""
    numbers = [r for r in readings if _is_number(r["value"]) and r["at"] is not None and r["name"]]
    if not numbers:
        return None
    name = numbers[-1]["name"]
    line = [(float(r["at"]), float(r["value"])) for r in numbers if r["name"] == name]
    if len(line) < 2:
        return None
    times, values = zip(*line, strict=True)
    begin, end, low, high = min(times), max(times), min(values), max(values)
    points = " ".join(
        f"{_place(at, begin, end, WIDTH):.1f},{HEIGHT - _place(value, low, high, HEIGHT):.1f}"
        for at, value in line
    )
    return Chart(name, points, low, high, begin, end)


def _place(value: float, low: float, high: float, size: int) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return EDGE + share * (size - 2 * EDGE)


def _is_number(value: Any) -> bool:
    # Python's NaN and infinities are no JSON, so none comes.
    return isinstance(value, int | float) and not isinstance(value, bool)

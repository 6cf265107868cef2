# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The overview: devices by state, onboarding over time as a chart, failures, who is silent."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.portal.pages.ground import Ground
from muster_server.portal.pages.sessions import Reading

WIDTH, HEIGHT = 640, 160
_GAP = 4
_LAST_STEP = 9


@dataclass(frozen=True)
class Bar:
    """One day: how often a step went well and failed, and how high that is drawn."""

    day: str
    x: float
    width: float
    ok: int
    failed: int
    ok_height: float
    failed_height: float
    median_ms: int | None


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    @pages.get("/overview")
    def overview(request: Request, visitor: Reading, step: str = "") -> Response:
        found = ground.portal.overview(visitor.caller.owner)
        chosen = int(step) if step in ("3", "4", "5", "6", "7", "8", "9") else _LAST_STEP
        bars = bars_of(found["days"], chosen)
        return ground.page(
            request,
            "overview.html",
            found=found,
            chosen=chosen,
            bars=bars,
            highest=max(bar.ok + bar.failed for bar in bars),
        )


def bars_of(days: list[dict[str, Any]], step: int) -> list[Bar]:
    """Return a bar for each day; all heights in proportion to the busiest."""
    counted = []
    for day in days:
        tally = next((t for t in day["steps"] if t["step"] == step), None)
        ok, failed = (tally["ok"], tally["failed"]) if tally else (0, 0)
        counted.append((day["day"], ok, failed, tally["median_ms"] if tally else None))
    most = max([ok + failed for _, ok, failed, _ in counted] + [1])
    width = WIDTH / len(counted)
    scale = (HEIGHT - 2) / most
    return [
        Bar(day, n * width + _GAP / 2, width - _GAP, ok, failed, ok * scale, failed * scale, ms)
        for n, (day, ok, failed, ms) in enumerate(counted)
    ]

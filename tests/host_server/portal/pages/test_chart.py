# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a chart drawn within its edges, and only of what can be drawn?"""

from typing import Any

from muster_server.portal.pages.chart import EDGE, HEIGHT, WIDTH, chart_of


def readings(*values: Any, name: str | None = "t") -> list[dict[str, Any]]:
    return [{"id": "x", "at": 100.0 + n, "name": name, "value": v} for n, v in enumerate(values)]


def places(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in points.split())]


def test_line_goes_from_edge_to_edge() -> None:
    chart = chart_of(readings(1, 3.5, -2))
    assert chart is not None
    assert places(chart.points) == [
        (EDGE, HEIGHT - EDGE - round(3 / 5.5 * (HEIGHT - 2 * EDGE), 1)),
        (WIDTH / 2, EDGE),
        (WIDTH - EDGE, HEIGHT - EDGE),
    ]
    assert (chart.lowest, chart.highest, chart.begins, chart.ends) == (-2, 3.5, 100, 102)


def test_what_does_not_change_is_a_level_line() -> None:
    chart = chart_of(readings(7, 7))
    assert chart is not None
    assert {y for _, y in places(chart.points)} == {HEIGHT / 2}


def test_newest_name_is_drawn_and_no_other() -> None:
    chart = chart_of(readings(1, 2, name="old") + readings(5, 6, name="new"))
    assert chart is not None
    assert (chart.name, chart.lowest) == ("new", 5)


def test_what_is_no_number_is_not_drawn() -> None:
    assert chart_of(readings("1", True, None, {"a": 1}, 5)) is None
    assert chart_of(readings(1, 2, name=None)) is None
    assert chart_of([]) is None

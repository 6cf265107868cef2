# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the picture of a heap show what was measured, whatever that is?"""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from muster_harness.esp32.evidence import Evidence
from muster_harness.esp32.heap_picture import Mark, Sample, picture
from muster_harness.units.emulated import EmulatedBoard

_GROUND, _TOP = 280, 60


def paths(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in ElementTree.fromstring(text).iter():  # noqa: S314 (of our own making)
        found.setdefault(part.get("class", ""), []).append(part.get("d") or part.text or "")
    return found


def test_a_heap_that_fills_rises_to_the_top_and_nothing_is_drawn_across_a_reset() -> None:
    samples = [Sample(0, 0, 1000), Sample(5, 1000, 0), Sample(8, 500, 500)]
    drawn = paths(picture("bell & co", samples, [Mark(0, "power on"), Mark(6, "soft")]))
    assert len(drawn["used"]) == 2
    assert f",{_GROUND} " in drawn["used"][0].replace(f"{_GROUND}.0", f"{_GROUND}")
    assert f",{_TOP}" in drawn["used"][0]
    assert drawn["why"] == ["power on", "soft"]
    assert "idf" not in drawn


@pytest.mark.parametrize(
    "samples",
    [
        [Sample(3.5, 10, 0)],
        [Sample(0, 1, 1, 0, 0), Sample(86400 * 30, 10**9, 0, 10, 5)],
        [Sample(n / 1000, n, 5000 - n) for n in range(4000)],
    ],
)
def test_any_life_is_a_picture(samples: list[Sample]) -> None:
    text = picture("x", samples, [Mark(n, "watchdog") for n in range(100)])
    drawn = paths(text)
    assert len(drawn["why"]) == 24
    assert 1 < len(drawn["grid"]) < 25
    numbers = [float(n) for d in drawn["used"] for n in re.findall(r"[\d.]+", d)]
    assert all(0 <= n <= 960 for n in numbers)


def test_the_modelled_heap_of_a_chip_is_drawn_where_it_has_limits(tmp_path: Path) -> None:
    wanted = Evidence(charts_heap=True)
    with EmulatedBoard(
        tmp_path / "x", facts="ESP32_GENERIC", limits_idf_heap=True, evidence=wanted
    ) as board:
        board.power_on()
        board.exec("import network, time; network.WLAN().active(True); time.sleep_ms(50)")
        board.reset("soft")
        board.exec("import time; time.sleep_ms(50)")
    drawn = paths((tmp_path / "x" / "board.heap.svg").read_text())
    assert len(drawn["idf"]) == len(drawn["used"]) == 2
    assert drawn["why"][-1] == "soft"

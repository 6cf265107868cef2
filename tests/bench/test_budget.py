# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The firmware keeps to its memory budget, as far as that shows in a moment."""

import pytest

from tests.bench import __main__ as bench
from tests.bench import budget


@pytest.fixture(scope="module")
def sizes() -> dict[str, float]:
    return {f"mpy.{name}": size for name, size in budget.sizes().items()}


@pytest.fixture
def agreed() -> dict[str, float]:
    """Every figure exactly as the budget has it."""
    found: dict[str, float] = {}
    for section, figures in budget.read().items():
        prefix = "" if section == "heap" else section + "."
        found |= {prefix + name: value for name, value in figures.items()}
    return found


def test_every_module_keeps_to_its_size(sizes: dict[str, float]) -> None:
    told = budget.compare(sizes, ("mpy",))
    assert told.worse + told.other == [], f"if that is meant: {budget.RENEW}"


def test_what_is_new_gone_or_larger_is_told(sizes: dict[str, float]) -> None:
    found = dict(sizes)
    found["mpy.wifi"] *= 1.1
    found["mpy.luxury"] = found.pop("mpy.led")
    told = budget.compare(found, ("mpy",))
    assert told.other == ["mpy.led is gone", "mpy.luxury is new"]
    assert len(told.worse) == 1
    assert told.worse[0].startswith("mpy.wifi is ") and budget.RENEW in told.worse[0]


@pytest.mark.parametrize(
    ("name", "change", "status"),
    [
        ("onboarding.min_heap_1k_bytes", -20_000, 0),
        ("onboarding.heap_step_4_bytes", budget.HEAP_ROOM, 0),
        ("onboarding.heap_step_4_bytes", budget.HEAP_ROOM + 1, 1),
        ("mpy.wifi", -800, 0),
        ("mpy.wifi", 800, 1),
        ("import_32bit.tls", 4000, 1),
        ("onboarding.bytes_5_to_6", 2304, 0),
        ("onboarding.bytes_5_to_6", 2305, 1),
        ("deploy.first_s", 4.9, 0),
        ("deploy.first_s", 5.1, 1),
    ],
)
def test_the_bench_fails_for_what_is_worse_by_more_than_its_noise_and_says_what_to_do(
    agreed: dict[str, float],
    capsys: pytest.CaptureFixture[str],
    name: str,
    change: float,
    status: int,
) -> None:
    agreed[name] = agreed.get(name, 0) + change
    assert bench.report(agreed) == status
    worse = [line for line in capsys.readouterr().out.splitlines() if line.startswith("WORSE: ")]
    assert len(worse) == status
    assert all(name in line for line in worse)


def test_what_cannot_be_measured_here_is_said_and_no_failure(
    agreed: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    found = {name: value for name, value in agreed.items() if "32bit" not in name}
    assert bench.report(found) == 0
    assert "import_32bit could not be measured here" in capsys.readouterr().out


def test_the_budget_itself_is_within_the_bars() -> None:
    heap = budget.read()["heap"]
    bars = {name: bar for name, bar in bench.BARS.items() if "min_heap" in name}
    assert len(bars) == 5
    for name, bar in bars.items():
        assert 0 < heap[name] <= bar, name


def test_a_step_needs_no_less_than_those_before_it() -> None:
    heap = budget.read()["heap"]
    marks = [heap[f"onboarding.heap_step_{step}_bytes"] for step in range(3, 10)]
    assert marks == sorted(marks)
    assert marks[-1] <= heap["onboarding.min_heap_1k_bytes"]


def test_every_module_has_its_heap_on_both_widths() -> None:
    read = budget.read()
    modules = budget.sizes().keys() - {"__init__"}
    assert read["import_64bit"].keys() == modules == read["import_32bit"].keys()

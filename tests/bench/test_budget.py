# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The firmware keeps to its memory budget, as far as that shows in a moment."""

from tests.bench import __main__ as bench
from tests.bench import budget


def test_every_module_keeps_to_its_size() -> None:
    found: dict[str, float] = {f"mpy.{name}": size for name, size in budget.sizes().items()}
    told = budget.differences(found, ("mpy",))
    assert told == [], f"if that is meant: {budget.RENEW}"


def test_what_is_new_gone_or_larger_is_told() -> None:
    found: dict[str, float] = {f"mpy.{name}": size for name, size in budget.sizes().items()}
    found["mpy.wifi"] *= 1.1
    found["mpy.luxury"] = found.pop("mpy.led")
    told = [line.split(",")[0].rsplit(" ", 1)[0] for line in budget.differences(found, ("mpy",))]
    assert told == ["mpy.led is", "mpy.luxury is", "mpy.wifi is"]


def test_the_budget_itself_is_within_the_bars() -> None:
    heap = budget.read()["heap"]
    bars = {name: bar for name, bar in bench.BARS.items() if "min_heap" in name}
    assert len(bars) == 3
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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do the figures say what happened, and what to do about it?"""

import pytest

from muster_harness.fleet.figures import Figures
from muster_harness.fleet.run import LATE
from muster_harness.fleet.shares import Outcome
from muster_harness.fleet.telling import figures, told


def outcome(*refusals: str, late_s: float = 0.0) -> Outcome:
    seen = Figures()
    seen.took("check-in", 0.25)
    seen.took(LATE, late_s)
    for what in refusals:
        seen.refused(what)
    return Outcome("check-in", 2, 2.0, 0.003, 0.007, seen, ["no"] * bool(refusals))


def test_figures_have_the_cost_of_both_sides() -> None:
    found = figures(outcome(), has_server=True)
    assert (found["generator_cpu_ms_each"], found["server_cpu_ms_each"]) == (3.0, 7.0)
    assert (found["per_s"], found["given_up"]) == (0.5, 0)
    assert "server_cpu_ms_each" not in figures(outcome(), has_server=False)
    assert "1 of 2 in 2.0 s: 0.5 a second (check-in)" in told(found, "check-in")


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        ("claim: ConnectionRefusedError", "do the servers run?"),
        ("claim: HTTP 401 unauthorized", "--token-file"),
        ("claim: HTTP 404 not_found", "--profile"),
        ("sync: HTTP 403 not_recognised", "other servers"),
    ],
)
def test_refusal_comes_with_what_to_do(refusal: str, advice: str) -> None:
    text = told(figures(outcome(refusal, refusal), has_server=False), "check-in")
    assert f"       2 x {refusal}" in text and text.count(advice) == 1


def test_generator_that_is_too_slow_says_so() -> None:
    assert "more --clients" in told(figures(outcome(late_s=3), has_server=False), "check-in")
    assert "more --clients" not in told(figures(outcome(), has_server=False), "check-in")

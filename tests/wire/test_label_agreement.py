# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Portal and bench say the same of whatever is typed: the same label, or the same part."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from muster_harness.deploy import labels as bench
from muster_harness.errors import LabelRefused as RefusedByBench
from muster_server import label as portal
from muster_server.errors import LabelRefused as RefusedByPortal

_CASES = json.loads((Path(__file__).parent / "labels.json").read_text())["cases"]
_TEXTS = [case.get("typed", case["label"]) for case in _CASES]
_PIECES = [
    "#",
    ":",
    "-",
    " ",
    "\t",
    "\n",
    "\u00a0",
    "\ufeff",
    "0",
    "1",
    "8",
    "\u0131",
    "\u00df",
    "%3A",
]


def said_by_portal(text: str) -> tuple[str, ...]:
    try:
        label = portal.parse_label(text)
    except RefusedByPortal as error:
        return (str(error.path),)
    return label.device_id, label.secret.hex(), label.qr_text, label.grouped


def said_by_bench(text: str) -> tuple[str, ...]:
    try:
        label = bench.parse_label(text)
    except RefusedByBench as error:
        return (error.path,)
    return label.device_id, label.secret.hex(), label.text, label.grouped


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A golden text with a few characters put in, taken away or replaced."""
    text: str = draw(st.sampled_from(_TEXTS))
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 2)))
        piece = draw(st.sampled_from(_PIECES) | st.characters(codec="utf-8"))
        text = text[:begin] + piece + text[end:]
    return text


@settings(max_examples=1500, deadline=None)
@given(changed() | st.text())
def test_portal_and_bench_agree(text: str) -> None:
    assert said_by_portal(text) == said_by_bench(text)


def test_their_ids_are_checked_alike() -> None:
    for text in ("A", "A" * 32, "A" * 33, "a", "A--B", "A.B", ".A", "A\n", "", "É"):
        try:
            bench.new_label(text)
        except RefusedByBench:
            assert not portal.is_device_id(text)
        else:
            assert portal.is_device_id(text)

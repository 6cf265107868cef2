# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The firmware's loader is told nothing in vain, and the check of it sees what it has to."""

import shutil
from pathlib import Path

import pytest

from tests.firmware.borrowed_calls import FIRMWARE, Firmware


def test_every_borrowed_call_fits_its_definition() -> None:
    assert Firmware().faults() == []


@pytest.mark.parametrize(
    ("module", "before", "after", "fault"),
    [
        ("store", '"records", "load"', '"records", "laod"', "records.py defines no laod"),
        ("store", '"records", "load"', '"recrods", "load"', "there is no module recrods"),
        ("store", "self._root, name, value)", "self._root, name)", "missing a required argument"),
        ("wifi", '"scan", self._wlan', '"scan", self._wlan, 1', "too many positional arguments"),
        ("wifi", 'borrow("scanning"', 'borrowed("scanning"', "scanning.scan is for borrow"),
        ("wifi", 'borrowed("association"', 'borrow("association"', "leave is for borrowed"),
        ("wifi", '"scan", self._wlan', '"scan", wlan=self._wlan', "no keyword arguments"),
        ("wifi", '("scanning", "scan"', '("scanning inbox", "scan"', "does not load inbox"),
        ("wifi", '"scan", self._wlan', '"scan", *self._wlans', "in quotes"),
        ("assembly", "recall schema", "recall", "recall.recall loads schema too"),
        ("assembly", "rtc.memory, cause, kept", "rtc, 1, 2, kept", "restart.Former: too many"),
        ("assembly", "journal, clock, press)", "journal, clock)", "console.converse: missing"),
        ("trial", '"candidate", "drop"', '"candidate", "dorp"', "candidate.py defines no dorp"),
        ("by_hand", '(life, "take")', '(life, "teka")', "delivery.py defines no teka"),
        ("by_hand", '(life, "take")', '(life, "take", 1)', "delivery.take: too many"),
        ("by_hand", '(life, "take")', "(life, deed)", "must be called, with its words in quotes"),
        ("by_hand", 'await _deliver(life, "forget")', "_deliver", "must be called, with its"),
        ("by_hand", '_deliver(life, "take")', '_deliver(life, "look")', "delivery.look: missing"),
        ("operation", 'answer = await borrowed("conn', 'borrowed("conn', "nobody awaits it"),
        ("exchange", 'release("http")', 'release("htpp")', "there is no module htpp"),
        ("delivery", '"url", ', "", "load url too"),
        ("exchange", 'release("http")', 'release("http", "log")', "log stays, but is let go"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_seen(
    module: str, before: str, after: str, fault: str, tmp_path: Path
) -> None:
    package = tmp_path / "muster"
    shutil.copytree(FIRMWARE, package)
    path = package / f"{module}.py"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert any(fault in said for said in Firmware(package).faults())


def test_a_module_that_nobody_lets_go_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "muster"
    shutil.copytree(FIRMWARE, package)
    (package / "forgotten.py").write_text("")
    assert Firmware(package).faults() == ["forgotten is never let go; it belongs into STAYS"]

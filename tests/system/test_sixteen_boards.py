# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A shelf of new devices is switched on at once."""

import time
from pathlib import Path

import pytest

from muster_harness.deploy.firmware import write_identity
from muster_harness.deploy.labels import new_label
from muster_harness.log import Log
from muster_harness.units.emulated import EmulatedBoard
from tests import secrecy
from tests.system.story import Label, Story

_SHELF = 16
_ALL_S = 100.0


@pytest.mark.hil_units(_SHELF)
def test_sixteen_boards_onboard_at_once(
    tmp_path: Path,
    hil_units: list[EmulatedBoard],
    hil_log: Log,
) -> None:
    with Story(tmp_path, board=hil_units[0], log=hil_log) as story:
        labels = [labelled(unit) for unit in hil_units]
        story.servers.wait_ready()
        story.add_profile()
        for label in labels:
            story.register(label, label.device_id)
        began = time.monotonic()
        for unit in hil_units:
            unit.power_on()
        for unit in hil_units:
            unit.expect(rb"life committed version 1", _ALL_S)
        took_s = time.monotonic() - began
        hil_log.note("test", f"{_SHELF} boards onboarded in {took_s:.1f} s")
        for label in labels:
            story.wait_for(label, lambda device: device["state"] == "registered", _ALL_S)
    for unit in hil_units:
        unit.power_off()


def labelled(unit: EmulatedBoard) -> Label:
    """Writes a label of its own to a board, which is off afterwards."""
    made = new_label()
    secrecy.hide_label(made.text, made.secret)
    write_identity(unit.port, made.device_id, made.secret)
    unit.power_off()
    return Label(made.device_id, made.text, made.secret)

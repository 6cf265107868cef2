# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The story of the nine steps, with the board behind the port and the networks of the desk.

Nobody presses a button: a board without configuration seeks by itself when it starts.
"""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.deploy import deploy
from harness.labelling import look, write_label
from harness.labels import parse_label
from harness.units import SerialUnit
from tests import secrecy
from tests.hil.conftest import ROOT, Rig
from tests.hil.desk import Desk
from tests.system.story import Label, Story

_OURS = "HIL-"
_STEP_S = 90.0  # real networks need their time, and a board may try twice

# What the 15 s press does, for a board whose button nobody presses.
_FORGET = """\
import os
try:
    for name in os.listdir("/muster-state"):
        os.remove("/muster-state/" + name)
except OSError:
    pass
"""


class DeskStory(Story):
    """The story of tests/system, where only the servers are ours."""

    def __init__(self, directory: Path, unit: SerialUnit, rig: Rig, force: bool) -> None:
        self.directory = directory
        self.password = rig.password or ""
        self.servers: Any = Desk(directory, rig)
        self.board: Any = unit
        self._device_ids: list[str] = []
        self._force = force
        self._network = {"ssid": rig.ssid, "psk": rig.password, "hidden": False, "ip": "dhcp"}
        if rig.password:
            secrecy.hide(rig.password)
        secrecy.watch(directory)

    def __enter__(self) -> "DeskStory":
        self.servers.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self.servers.__exit__(*reason)

    def profile(self, **changes: Any) -> dict[str, Any]:
        return super().profile(**{"networks": [self._network]} | changes)

    def make_label(self) -> Label:
        device_id = _OURS + secrets.token_hex(4).upper()
        made = json.loads(self.muster("label", "new", "--id", device_id, "--json"))
        label = Label(device_id, made["label"], parse_label(made["label"]).secret)
        secrecy.hide_label(label.text, label.secret)
        return label

    def write_label(self, label: Label) -> None:
        info = look(self.board.port)
        ours = info.device_id is not None and info.device_id.startswith(_OURS)
        if info.device_id is not None and not (ours or self._force):
            pytest.fail(
                f"the board is {info.device_id}, which these tests did not write; "
                "FORCE=1 (--hil-force) replaces it"
            )
        self.board.exec(_FORGET)
        write_label(self.board.port, info, parse_label(label.text), replaces=True)

    def switch_on(self) -> None:
        self.board.listen()
        self.board.restart()


@pytest.fixture
def desk(
    tmp_path: Path, hil_unit: SerialUnit, hil_rig: Rig, request: pytest.FixtureRequest
) -> Iterator[DeskStory]:
    deploy(hil_unit.port, ROOT / "firmware")
    with DeskStory(tmp_path, hil_unit, hil_rig, request.config.getoption("--hil-force")) as story:
        yield story


def test_the_nine_steps(desk: DeskStory) -> None:
    label = desk.begin("a board on the desk")
    desk.switch_on()
    done = [desk.step(number, _STEP_S) for number in range(3, 10)]
    assert [step.code for step in done] == ["ok"] * 7
    assert desk.committed() == 1
    device = desk.wait_for(label, lambda device: device["state"] == "registered", _STEP_S)
    assert [step["state"] for step in device["steps"]] == ["done"] * 9
    assert json.loads(desk.first_reading(label, _STEP_S)["con"])["name"] == "heap_free"

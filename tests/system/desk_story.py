# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The story of the nine steps with a board behind a port and the networks of the desk.

A board whose button nobody can press seeks by itself when it starts without a configuration.
"""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.deploy.labelling import look, write_label
from muster_harness.deploy.labels import parse_label
from muster_harness.log import Log
from muster_harness.units.rig import Network
from muster_harness.units.unit import Unit
from tests import secrecy
from tests.system.desk import Desk
from tests.system.story import ROOT, Label, Story

_OURS = "HIL-"
_STEP_S = 90.0  # real networks need their time, and a board may try twice

# A new label is for a new device: what the former one has kept in flash goes, and its timeline in
# RTC memory, which only a power switch would take away.
_FORGET = """\
import machine, os
machine.RTC().memory(b"")
try:
    for name in os.listdir("/muster-state"):
        os.remove("/muster-state/" + name)
except OSError:
    pass
"""


class DeskStory(Story):
    """The story, where only the servers are ours."""

    step_s = _STEP_S

    def __init__(
        self,
        directory: Path,
        unit: Unit,
        onboarding: Network,
        operational: Network,
        log: Log,
        force: bool,
    ) -> None:
        self.directory = directory
        self.password = operational.password or ""
        self.servers: Any = Desk(directory, onboarding, operational, log)
        self.board: Any = unit
        self._log: Log | None = log
        self._device_ids: list[str] = []
        self._force = force
        self._network = {
            "ssid": operational.ssid,
            "psk": operational.password,
            "hidden": False,
            "ip": "dhcp",
        }
        if operational.password:
            secrecy.hide(operational.password)
        secrecy.watch(directory)

    def __enter__(self) -> "DeskStory":
        self.servers.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self.servers.__exit__(*reason)
        self._note_secrets()

    def profile(self, **changes: Any) -> dict[str, Any]:
        return super().profile(**{"networks": [self._network]} | changes)

    def deploy(self, form: str = "mpy") -> None:
        """A board on a desk is on, and stays so."""
        with self.board.released() as port:
            deploy_firmware(port, ROOT / "firmware", form=form, build=self.build())

    def make_label(self) -> Label:
        device_id = _OURS + secrets.token_hex(4).upper()
        made = json.loads(self.muster("label", "new", "--id", device_id, "--json"))
        label = Label(device_id, made["label"], parse_label(made["label"]).secret)
        secrecy.hide_label(label.text, label.secret)
        return label

    def write_label(self, label: Label) -> None:
        with self.board.released() as port:
            info = look(port)
            ours = info.device_id is not None and info.device_id.startswith(_OURS)
            if info.device_id is not None and not (ours or self._force):
                pytest.fail(
                    f"the board is {info.device_id}, which these tests did not write; "
                    "FORCE=1 (--hil-force) replaces it"
                )
            write_label(port, info, parse_label(label.text), replaces=True)
        self.board.exec(_FORGET)

    def switch_on(self) -> None:
        if self.board.can("power"):
            self.board.power_off()
            self.board.forget_output()
            self.board.power_on()
        else:
            self.board.forget_output()
            self.board.reset()

    def press(self) -> None:
        if self.board.can("button"):
            super().press()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device's record can be read over serial, whatever has happened since."""

import json
import re
import time
from datetime import datetime
from typing import Any

import pytest

from muster_harness.cli import main
from tests.system.board_time import hasty
from tests.system.story import Story

Run = pytest.CaptureFixture[str]


def recorded(story: Story, capsys: Run) -> Any:
    capsys.readouterr()
    with story.board.released() as port:
        assert main(["timeline", "--port", port, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.hil_needs("clock")
def test_a_failed_trial_is_read_over_serial_and_outlives_a_loss_of_power(
    story: Story, capsys: Run
) -> None:
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    story.begin(networks=wrong)
    story.switch_on()
    began = time.time()
    with hasty(story.board):
        while story.step(8, 60).code == "ok":
            pass
    story.board.expect(rb"step 3", 60)  # it has come home
    logged = re.findall(rb"step (\d) (\w+) \d+ms", story.board.output)

    found = recorded(story, capsys)
    steps = [(entry["step"], entry["code"]) for entry in found["steps"]]
    assert (8, "wifi_auth") in steps
    trial = steps.index((8, "wifi_auth"))
    assert steps[: trial + 1] == [(int(n), code.decode()) for n, code in logged][: trial + 1]
    ended = datetime.fromisoformat(found["steps"][trial]["ended"]).timestamp()
    assert abs(ended - began) < 120  # a directive has set the clock by then
    last = found["last_failure"]
    assert (last["step"], last["code"]) == (8, "wifi_auth") and "factory" in last["detail"]

    story.board.power_off()
    story.onboarding.remove()
    story.board.power_on()
    again = recorded(story, capsys)
    assert found["steps"][: trial + 1] == again["steps"][: trial + 1]

    with story.board.released() as port:
        assert main(["timeline", "--port", port]) == 0
    assert "[8/9] Join the operational network" in capsys.readouterr().out


def test_a_board_without_the_firmware_names_the_cure(story: Story, capsys: Run) -> None:
    story.board.erase_flash()
    story.board.power_on()
    with story.board.released() as port:
        assert main(["timeline", "--port", port]) == 1
    assert "muster-unit deploy" in capsys.readouterr().err

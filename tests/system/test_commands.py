# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a device obey an application's commands, and nobody else's, through a restart?"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.system.acme import ADMINISTRATOR, Acme
from tests.system.story import Label, Story
from tests.system.test_living_with_it import put_application, story_on

_PATIENCE_S = 20.0
_APPLICATION = """\
    await session.publish("begins", 1)
    async for command in session.commands(1):
        if command.value == "nonsense":
            await command.failed("I do not know that")
            continue
        await command.done({"led": command.value["led"]})
"""


class Robot:
    """An application of the owner's, with an account of its own."""

    def __init__(self, story: Story, label: Label) -> None:
        made = json.loads(story.owner("reader", "add", "robot", "--application", "--json"))
        self.originator, self._token = made["originator"], made["token"]
        platform = story.servers.platform
        self._url, self._ca = platform.url, platform.ca_file or True
        self.device = str(story.device(label)["account"]["originator"])

    def ask(self, method: str, path: str, body: Any = None, ty: int = 0) -> requests.Response:
        headers = {
            "X-M2M-Origin": self.originator,
            "X-M2M-RI": "robot",
            "X-M2M-RVI": "4",
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json" + (f";ty={ty}" if ty else ""),
        }
        return requests.request(
            method, self._url + path, json=body, headers=headers, timeout=10, verify=self._ca
        )

    def command(self, value: Any) -> str:
        """Tell the device to do this, once it wants to be told anything; the command's id."""
        body = {"m2m:cin": {"con": json.dumps(value)}}
        answer = patiently(
            lambda: self.ask("POST", f"/cse-in/{self.device}/commands", body, 4),
            lambda answer: answer.status_code == 201,
        )
        return str(answer.json()["m2m:cin"]["ri"])

    def result(self, command_id: str) -> dict[str, Any]:
        """The result of a command, as soon as there is one."""
        answer = patiently(
            lambda: self.ask("GET", f"/cse-in/{self.device}/results/la"),
            lambda answer: command_id in answer.text,
        )
        found: dict[str, Any] = json.loads(answer.json()["m2m:cin"]["con"])
        return found


def patiently(ask: Any, is_good: Any) -> requests.Response:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        answer: requests.Response = ask()
        if is_good(answer):
            return answer
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)


def test_device_obeys_what_its_owners_application_tells_it(story: Story, tmp_path: Path) -> None:
    label = story.begin()
    put_application(story_on(story), tmp_path, _APPLICATION)
    story.board.reset()
    story.committed()
    robot = Robot(story, label)
    first = robot.command({"led": True})
    assert robot.result(first) == {"id": first, "ok": True, "result": {"led": True}}
    assert robot.ask("GET", f"/{first}").status_code == 404
    wrong = robot.command("nonsense")
    assert robot.result(wrong)["result"] == "I do not know that"
    reading = robot.ask("GET", f"/cse-in/{robot.device}/data/ol").json()["m2m:cin"]["con"]
    assert json.loads(reading)["name"] == "begins"

    story.board.power_off()
    kept = robot.command({"led": False})
    assert robot.ask("GET", f"/{kept}").status_code == 200
    story.switch_on()
    assert robot.result(kept)["result"] == {"led": False}


@pytest.fixture
def acme_story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(tmp_path, flash=deployed_flash, platform=Acme) as story:
        yield story


def test_device_obeys_at_acme_too(acme_story: Story, tmp_path: Path) -> None:
    label = acme_story.begin()
    put_application(story_on(acme_story), tmp_path, _APPLICATION)
    acme_story.board.reset()
    acme_story.committed()
    cse = acme_story.servers.platform
    assert isinstance(cse, Acme)
    place = f"/cse-in/{acme_story.device(label)['account']['originator']}"
    body = {"m2m:cin": {"con": json.dumps({"led": True})}}
    patiently(
        lambda: cse.request("POST", f"{place}/commands", ADMINISTRATOR, body, 4),
        lambda answer: answer.status_code == 201,
    )
    told = patiently(
        lambda: cse.request("GET", f"{place}/results/la", ADMINISTRATOR),
        lambda answer: answer.status_code == 200,
    )
    result = json.loads(told.json()["m2m:cin"]["con"])
    assert (result["ok"], result["result"]) == (True, {"led": True})

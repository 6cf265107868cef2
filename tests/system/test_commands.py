# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a device obey an application's commands, and nobody else's, through a restart?"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.system.acme import ADMINISTRATOR, Acme
from tests.system.board_time import hasty
from tests.system.story import Label, Story
from tests.system.test_living_with_it import put_application, story_on

_PATIENCE_S = 20.0
_LED_PIN = 5
_POLICY = {"failsafe_s": 60, "sync_s": 3600, "ntp": None}
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
    # The device removes it once its result is there.
    patiently(lambda: robot.ask("GET", f"/{first}"), lambda answer: answer.status_code == 404)
    wrong = robot.command("nonsense")
    assert robot.result(wrong)["result"] == "I do not know that"
    reading = robot.ask("GET", f"/cse-in/{robot.device}/data/ol").json()["m2m:cin"]["con"]
    assert json.loads(reading)["name"] == "begins"

    story.board.power_off()
    kept = robot.command({"led": False})
    assert robot.ask("GET", f"/{kept}").status_code == 200
    story.switch_on()
    assert robot.result(kept)["result"] == {"led": False}


def test_example_obeys_its_owner_and_says_why_it_does_not(story: Story) -> None:
    label = lit_story(story)
    name = label.device_id
    assert story.owner("command", name, '{"led": true}', "--wait") == (
        f'{name} has done it: {{"led": true}}\n'
    )
    assert story.board.level(_LED_PIN) == 1
    refused = told(story, 1, "command", name, '{"led": "red"}', "--wait")
    assert f"{name} has not done it: " in refused.stdout
    assert story.board.level(_LED_PIN) == 1
    assert story.owner("command", name, '{"led": false}', "--wait")
    assert story.board.level(_LED_PIN) == 0


def test_command_to_a_device_that_is_off_is_delivered_when_it_is_on_again(story: Story) -> None:
    label = lit_story(story)
    name = label.device_id
    story.board.power_off()
    late = told(story, 5, "command", name, '{"led": true}', "--wait", "--timeout", "1s")
    assert f"{name} has not answered in time" in late.stderr
    again = late.stdout.splitlines()[-1].partition("muster ")[2].split()
    lost = json.loads(story.owner("command", name, '{"led": false}', "--expires", "4s", "--json"))
    time.sleep(4.1)  # its whole life: it must not put the LED out
    story.switch_on()
    assert "has done it" in story.owner(*again, "--wait", "--timeout", "20s")
    assert story.board.level(_LED_PIN) == 1
    assert "it expired" in told(story, 1, "command", name, "--result", lost["id"]).stdout


def test_device_whose_application_asks_for_no_commands_is_told_as_such(story: Story) -> None:
    label = story.onboard()
    refused = told(story, 1, "command", label.device_id, '{"led": true}')
    assert "its application has not asked for any yet" in refused.stderr


def test_platform_tells_at_once_where_the_policy_says_so(story: Story) -> None:
    label = lit_story(story, interval_s=2, commands_s=0)
    device = story.device(label)["account"]["originator"]
    there(story, f"/cse-in/{device}/commands/calls")
    # Else it would look in five minutes; readings go on meanwhile, over the same connection.
    assert "has done it" in story.owner("command", label.device_id, '{"led": true}', "--wait")
    assert story.board.level(_LED_PIN) == 1
    newest = story.platform(f"/cse-in/{device}/data/la")
    deadline = time.monotonic() + _PATIENCE_S
    while story.platform(f"/cse-in/{device}/data/la") == newest:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "has done it" in story.owner("command", label.device_id, '{"led": false}', "--wait")
    assert story.board.level(_LED_PIN) == 0


@pytest.mark.hil_needs("clock")
def test_device_looks_as_often_as_the_policy_says(story: Story) -> None:
    lit_story(story, interval_s=86400, commands_s=60)
    clock = story.board.clock
    began, before = clock.ticks_ms(), connections(story)
    with hasty(story.board, 60):
        while clock.ticks_ms() - began < 600_000:
            time.sleep(0.05)
        looks, took_h = connections(story) - before, (clock.ticks_ms() - began) / 3_600_000
    assert 0.6 * 60 <= looks / took_h <= 60 + 1 / took_h, (looks, took_h)


def connections(story: Story) -> int:
    """Return how many the board has made to its platform, on each of which it asks once."""
    port = urlsplit(story.servers.platform.url).port
    made = [event for event in story.air.trace if event.what == "connect"]
    return sum(event.details["port"] == port for event in made)


def lit_story(story: Story, interval_s: int = 1, commands_s: int | None = None) -> Label:
    """A device at work whose profile names an LED, and which asks for commands."""
    policy = _POLICY | {"commands_s": commands_s}
    label = story.begin(app={"interval_s": interval_s, "led": _LED_PIN}, policy=policy)
    story.switch_on()
    story.committed()
    there(story, f"/cse-in/{story.device(label)['account']['originator']}/results")
    return label


def there(story: Story, place: str) -> None:
    """Wait until the platform has this."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            story.platform(place)
            return
        except requests.HTTPError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def told(story: Story, code: int, *words: str) -> subprocess.CalledProcessError:
    """The words of a command that ends with this code, which is not 0."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        story.owner(*words)
    assert caught.value.returncode == code, caught.value.stderr
    return caught.value


@pytest.fixture
def acme_story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(tmp_path, flash=deployed_flash, platform=Acme) as story:
        yield story


@pytest.mark.parametrize("commands_s", [1, 0])
def test_device_obeys_at_acme_too(acme_story: Story, tmp_path: Path, commands_s: int) -> None:
    label = acme_story.begin(policy=_POLICY | {"commands_s": commands_s})
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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requirement 1 at a platform that nobody here wrote: a device is configured over ACME CSE."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from tests import secrecy
from tests.system.acme import ADMINISTRATOR, Acme
from tests.system.story import PASSWORD, Label, Story

EDITOR, STRANGER = "Cmuster-tool", "Cmuster-other"
OBJECTS = {"m2m:dvi", "m2m:fwr", "m2m:swr", "dcfg:crds", "dcfg:datc", "dcfg:wific"}
OFFICE = "battery staple 7"
_WAIT_S = 30.0
_RETRY_S = 0.2
WORKS = {"failsafe_s": 60, "sync_s": 5, "ntp": None}


class ConfiguredAcme(Acme):
    """ACME, to which the configuration server comes as its administrator."""

    def __init__(self, directory: Path, address: str, common: list[str]) -> None:
        super().__init__(directory, address, common)
        file = directory / "platforms.toml"
        file.touch(0o600)
        file.write_text(
            f'[[platform]]\nurl = "{self.url}"\noriginator = "{ADMINISTRATOR}"\n'
            f'callback = "http://{address}:8421"\n\n[editors]\nadmin = ["{EDITOR}"]\n'
        )
        self.config_options = ["--platforms-file", str(file)]


@pytest.fixture(scope="module")
def story(
    tmp_path_factory: pytest.TempPathFactory, deployed_flash: Path
) -> Iterator[tuple[Story, Label]]:
    place = tmp_path_factory.mktemp("configured")
    with Story(place, flash=deployed_flash, platform=ConfiguredAcme) as story:
        label = story.begin(policy=WORKS)
        story.switch_on()
        story.committed()
        yield story, label


class Node:
    """The device's node, over ACME's own interface."""

    def __init__(self, story: Story, label: Label) -> None:
        self.url = story.servers.platform.url
        self.path = f"/cse-in/nod-{label.device_id}"

    def ask(self, method: str, path: str, who: str = ADMINISTRATOR, body: Any = None) -> Any:
        headers = {"X-M2M-Origin": who, "X-M2M-RI": "1", "X-M2M-RVI": "4"}
        headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        return requests.request(method, self.url + path, headers=headers, json=body, timeout=5)

    def whole(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"{self.path}?rcn=4").json().get("m2m:nod", {})
        return found

    def object(self, root: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.whole().get(root, [{}])
        return found[0]

    def change(self, root: str, who: str, **changes: Any) -> str:
        answer = self.ask("PUT", f"{self.path}/{root[5:]}", who, {root: changes})
        return str(answer.headers["X-M2M-RSC"])


def eventually(look: Callable[[], Any], is_good: Callable[[Any], bool]) -> Any:
    """Return what it sees as soon as that is good; AssertionError with what it saw last."""
    deadline = time.monotonic() + _WAIT_S
    while True:
        seen = look()
        if is_good(seen):
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(_RETRY_S)


def test_node_has_the_six_objects_policies_and_subscriptions(story: tuple[Story, Label]) -> None:
    node = Node(*story)
    whole = eventually(node.whole, lambda found: set(found) >= OBJECTS and "acpi" in found)
    assert not any(root in whole for root in ("dcfg:reg", "dcfg:autp"))  # ACME has none
    assert (whole["dcfg:wific"][0]["ssid"], whole["dcfg:datc"][0]["meil"]) == ("factory", 1)
    subscribed = eventually(
        lambda: node.ask("GET", f"{node.path}/datc/muster").json().get("m2m:sub", {}),
        lambda found: "nu" in found,
    )
    assert subscribed["nu"][0].endswith(f":8421/v1/changes/{node.path[12:]}")
    assert PASSWORD not in json.dumps(whole)
    assert node.change("dcfg:datc", STRANGER, meil=3) == "4103"


def test_change_over_acmes_interface_is_tried_committed_and_told_there(
    story: tuple[Story, Label],
) -> None:
    node = Node(*story)
    eventually(lambda: node.object("dcfg:datc").get("dc", ""), lambda dc: dc.startswith("ok"))
    begun = time.monotonic()
    assert node.change("dcfg:datc", EDITOR, meil=2) == "2004"
    eventually(lambda: node.object("dcfg:datc")["dc"], lambda dc: dc.startswith("pending"))
    assert time.monotonic() - begun < 10  # it was told, and did not have to look
    version = story[0].committed(timeout_s=60)
    told = f"ok: version {version} runs"
    eventually(lambda: node.object("dcfg:datc")["dc"], lambda dc: dc == told)
    assert node.object("dcfg:datc")["meil"] == 2


def test_password_is_taken_away_from_acme_and_tried(story: tuple[Story, Label]) -> None:
    node, (told, label) = Node(*story), story
    secrecy.hide(OFFICE)
    written = {"ssid": "office", "wcrds": {"enct": 4, "wpap": OFFICE}}
    assert node.change("dcfg:wific", EDITOR, **written) == "2004"
    eventually(
        lambda: node.object("dcfg:wific"),
        lambda wifi: "wcrds" not in wifi and wifi["dc"].startswith("pending"),
    )
    eventually(
        lambda: [event["code"] for event in told.device(label)["events"]],
        lambda codes: "change_wanted" in codes,
    )


def test_nonsense_is_refused_there_with_its_reason(story: tuple[Story, Label]) -> None:
    node = Node(*story)
    assert node.change("dcfg:datc", EDITOR, cntp="cse-in/elsewhere") == "2004"
    dc = eventually(lambda: node.object("dcfg:datc")["dc"], lambda dc: dc.startswith("refused"))
    assert "cntp: this says what the device is" in dc
    assert node.object("dcfg:datc")["cntp"] != "cse-in/elsewhere"


def test_release_takes_node_policies_and_registration_away(story: tuple[Story, Label]) -> None:
    node, (told, label) = Node(*story), story
    originator = told.device(label)["account"]["originator"]
    told.portal("DELETE", f"/v1/devices/{label.device_id}")
    for path in (node.path, f"/{originator}", f"/cse-in/acp-{label.device_id}-look"):
        eventually(partial(node.ask, "GET", path), lambda answer: answer.status_code == 404)

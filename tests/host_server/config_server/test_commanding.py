# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do commands reach the container that the device looks in, from its owner and nobody else?"""

import ast
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from muster_server.api import bounds
from muster_server.config_server import instances
from muster_server.config_server.commanding import CommandService
from muster_server.config_server.containers import Containers
from muster_server.config_server.readers import ReaderService
from muster_server.errors import Conflict, Invalid, NotFound, ServiceUnreachable
from muster_server.service_client import Fetched
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field

_FIRMWARE = Path(__file__).resolve().parents[3] / "firmware" / "muster" / "commands.py"


class Shelf:
    """Containers at a platform: names and what is in them, and who asked for them."""

    def __init__(self, *names: str) -> None:
        self.held: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        self.asked: list[dict[str, str]] = []
        self.refusal = ""
        self.most = 16

    def fetch(
        self, url: str, token: str | None, *, headers: dict[str, str], method: str = "GET",
        body: bytes | None = None, **_: object,
    ) -> Fetched:  # fmt: skip
        self.asked.append({"url": url, "method": method, "token": token or ""} | headers)
        if self.refusal:
            return _answer(self.refusal, {})
        held = self.held.get(urlsplit(url).path.rpartition("/")[2])
        if held is None:
            return _answer("4004", {})
        if method == "POST":
            assert body is not None
            held.append({**json.loads(body)["m2m:cin"], "ri": f"cin{len(held)}"})
            return _answer("2001", {"m2m:cin": {"ri": held[-1]["ri"]}})
        return _answer("2000", {"m2m:cnt": {"cni": len(held), "mni": self.most, "m2m:cin": held}})

    def answer(self, id_: str, **result: Any) -> None:
        self.held["results"].append({"ri": "r", "con": json.dumps({"id": id_, **result})})


def _answer(code: str, document: dict[str, Any]) -> Fetched:
    return Fetched(200, {"X-M2M-RSC": code}, json.dumps(document).encode())


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf("commands", "results")
    monkeypatch.setattr(instances, "fetch", shelf.fetch)
    return shelf


@pytest.fixture
def commands(place: Field, shelf: Shelf) -> CommandService:
    readers = ReaderService(place.store, place.platforms, place.clock)
    return CommandService(Containers(place.store, place.platforms, readers), place.clock)


@pytest.fixture
def device(place: Field) -> Device:
    device = place.registered()
    device.onboard()
    return device


def test_command_is_put_by_an_application_with_its_end(
    place: Field, commands: CommandService, shelf: Shelf, device: Device
) -> None:
    given = commands.give(device.id, OWNER, {"led": True, "text": "ä"}, 60)
    (held,) = shelf.held["commands"]
    assert held["con"] == '{"led":true,"text":"ä"}'
    assert held["et"] == "20261123T104100"
    assert given == {
        "device_id": device.id,
        "id": "cin0",
        "state": "waiting",
        "result": None,
        "expires_at": place.clock() + 60,
    }
    put = shelf.asked[-1]
    assert put["X-M2M-Origin"].startswith("Capp")
    assert put["token"]
    assert put["Content-Type"] == "application/json;ty=4"
    originator = device.shown()["account"]["originator"]
    assert urlsplit(put["url"]).path == f"/cse-in/{originator}/commands"
    assert originator in place.platform.members[place.platform.policies[put["X-M2M-Origin"]]]
    commands.give(device.id, OWNER, 1, 60)
    assert shelf.asked[-1]["X-M2M-Origin"] == put["X-M2M-Origin"]  # the account is made once
    with place.store.reading() as records:
        assert records.readers.of_owner(OWNER) == []  # and it is nobody's but this server's


def test_progress_is_what_the_device_answered(
    commands: CommandService, shelf: Shelf, device: Device
) -> None:
    first, second = (commands.give(device.id, OWNER, n, 60)["id"] for n in range(2))
    shown = commands.progress(device.id, OWNER, first)
    assert (shown["state"], shown["result"]) == ("waiting", None)
    assert shown["expires_at"] is not None
    shelf.answer(first, ok=True, result={"led": True})  # and has not removed the command yet
    shelf.answer(second, ok=False, result="wanted led")
    shelf.held["results"].append({"ri": "r", "con": "of others"})
    done = commands.progress(device.id, OWNER, first)
    assert (done["state"], done["result"], done["expires_at"]) == ("done", {"led": True}, None)
    failed = commands.progress(device.id, OWNER, second)
    assert (failed["state"], failed["result"]) == ("failed", "wanted led")
    assert commands.progress(device.id, OWNER, "cin9")["state"] == "gone"


def test_result_that_comes_between_two_looks_is_not_missed(
    commands: CommandService, shelf: Shelf, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = commands.give(device.id, OWNER, 1, 60)["id"]
    looked: list[str] = []

    def fetch(url: str, *about: Any, **more: Any) -> Fetched:
        answer = shelf.fetch(url, *about, **more)
        if not looked:  # the device is done right after the first look
            shelf.answer(id_, ok=True, result=None)
            shelf.held["commands"].clear()
        looked.append(url)
        return answer

    monkeypatch.setattr(instances, "fetch", fetch)
    assert commands.progress(device.id, OWNER, id_)["state"] == "done"


def test_device_that_takes_no_commands_is_told_as_such(
    commands: CommandService, shelf: Shelf, device: Device
) -> None:
    shelf.held.clear()
    with pytest.raises(Conflict, match="its application has not asked for any yet"):
        commands.give(device.id, OWNER, {"led": True}, 60)
    assert [asked["method"] for asked in shelf.asked] == ["GET"]


def test_no_command_pushes_out_another(
    commands: CommandService, shelf: Shelf, device: Device
) -> None:
    shelf.most = 2
    for n in range(2):
        commands.give(device.id, OWNER, n, 60)
    with pytest.raises(Conflict, match="2 commands wait"):
        commands.give(device.id, OWNER, 3, 60)
    assert len(shelf.held["commands"]) == 2


def test_nobody_commands_what_is_anothers_or_has_no_configuration(
    place: Field, commands: CommandService, shelf: Shelf, device: Device
) -> None:
    with pytest.raises(NotFound):
        commands.give(device.id, "somebody", 1, 60)
    with pytest.raises(NotFound):
        commands.progress(device.id, "somebody", "cin0")
    with pytest.raises(Conflict, match="not given a configuration yet"):
        commands.give(place.registered().id, OWNER, 1, 60)
    assert shelf.asked == []


@pytest.mark.parametrize("id_", ["", "a/b", "..%2f", "x" * 129, "a?b", "ü"])
def test_id_that_is_none_is_not_found(
    commands: CommandService, shelf: Shelf, device: Device, id_: str
) -> None:
    with pytest.raises(NotFound):
        commands.progress(device.id, OWNER, id_)
    assert shelf.asked == []


def test_command_is_as_long_as_the_device_takes(
    commands: CommandService, shelf: Shelf, device: Device
) -> None:
    fits = "x" * (bounds.COMMAND_BYTES - 2)
    commands.give(device.id, OWNER, fits, 60)
    deep: list[Any] = []
    for _ in range(bounds.DEEPEST):
        deep = [deep]
    for value in (fits + "x", "ä" * (bounds.COMMAND_BYTES // 2), deep, 2**63, 1e39):
        with pytest.raises(Invalid) as caught:
            commands.give(device.id, OWNER, value, 60)
        assert (caught.value.path or "").startswith("value")
        assert "xxx" not in str(caught.value)
    assert len(shelf.held["commands"]) == 1


def test_bound_is_the_devices_own() -> None:
    (largest,) = re.findall(r"^_LARGEST = const\((.+)\)$", _FIRMWARE.read_text(), re.MULTILINE)
    assert ast.literal_eval(largest) == bounds.COMMAND_BYTES


def test_device_of_another_platform_is_commanded_under_its_own_account(
    place: Field, commands: CommandService, shelf: Shelf
) -> None:
    url = "http://other.example:8080"
    foreign = PROFILE["platform"] | {"url": url, "cse": "their-cse"}
    place.profiles.replace("press", PROFILE | {"platform": foreign})
    device = place.registered()
    device.onboard()
    commands.give(device.id, OWNER, {"led": True}, 60)
    originator = device.shown()["account"]["originator"]
    put = shelf.asked[-1]
    assert put["X-M2M-Origin"] == originator
    assert put["url"] == f"{url}/their-cse/{originator}/commands"
    assert place.platform.policies == {}


@pytest.mark.parametrize("code", ["4103", "5000", "x", "5207"])
def test_refusal_is_one(commands: CommandService, shelf: Shelf, device: Device, code: str) -> None:
    shelf.refusal = code
    with pytest.raises(ServiceUnreachable) as caught:
        commands.give(device.id, OWNER, "secret word", 60)
    assert "secret word" not in str(caught.value)

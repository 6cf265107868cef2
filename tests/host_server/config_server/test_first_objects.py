# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What is promised where our own platform is told of several devices at once? A real one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from muster_server.config_server.other_platforms import OtherPlatforms
from muster_server.errors import NoAnswer, Unavailable
from muster_server.platform_server.app import create_app
from muster_server.store.device_changes import DeviceChanges
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import token_hash
from tests.host_server.config_server.field import OWNER, Device, Field
from tests.host_server.config_server.object_town import TOKEN, Other, Town
from tests.host_server.serving import served


@pytest.fixture(scope="module")
def engine_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    engine = open_engine(database_url(Path(tmp_path_factory.mktemp("platform")), "platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    yield create_app(PlatformStore(engine), lambda: frozenset({token_hash(TOKEN)}))
    engine.dispose()


class Watched(Other):
    """A platform that may have no way for several nodes, or lose what it has to say."""

    has_way = True
    is_lost = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/nodes" and not self.has_way:
            self.asked.append("POST /nodes")
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            return

        async def say(message: Any) -> None:
            if self.is_lost and message["type"] == "http.response.start":
                message = {**message, "status": 502}
            await send(message)

        await super().__call__(scope, receive, say)


@pytest.fixture(scope="module")
def other(engine_app: ASGIApp) -> Watched:
    return Watched(engine_app)


@pytest.fixture(scope="module")
def url(other: Watched) -> Iterator[str]:
    with served(other) as url:
        yield url


@pytest.fixture
def town(place: Field, url: str, other: Watched) -> Town:
    other.has_way, other.is_lost = True, False
    town = Town(place, url, other, is_home=True)
    town.fields._places._others = OtherPlatforms()  # nobody else may change anything
    return town


def onboarded(town: Town, count: int) -> list[Device]:
    devices = [town.place.registered() for _ in range(count)]
    for number, device in enumerate(devices):
        device.address = f"127.0.1.{number}"
        device.onboard()
    town.other.asked.clear()
    return devices


def objects_of(town: Town, device: Device) -> set[str]:
    node = town.ask("GET", f"/cse-in/nod-{device.id}?rcn=4").json().get("m2m:nod", {})
    lists = [value for value in node.values() if isinstance(value, list)]
    return {each["rn"] for items in lists for each in items if isinstance(each, dict)}


WHOLE = {"dvi", "fwr", "swr", "reg", "autp", "crds", "datc", "wific"}


def jobs_left(town: Town) -> int:
    with town.place.store.reading() as records:
        return len(records.jobs.due(town.place.clock() + 7200, 100, 7200))


def test_several_devices_take_one_request_and_two_transactions(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = onboarded(town, 5)
    transactions = []
    transaction = town.place.store.transaction
    monkeypatch.setattr(
        town.place.store,
        "transaction",
        lambda *about: transactions.append(about) or transaction(*about),  # type: ignore[func-returns-value]
    )
    town.jobs.run_due()
    assert town.other.asked == ["POST /nodes"]
    assert len(transactions) == 1  # and the platform's
    assert [objects_of(town, device) for device in devices] == [WHOLE] * 5
    assert jobs_left(town) == 0


def test_what_is_told_is_looked_at_later_and_found_unchanged(town: Town) -> None:
    (device,) = onboarded(town, 1)
    town.jobs.run_due()
    town.work()
    assert "change_wanted" not in [event["code"] for event in device.shown()["events"]]
    changed = {"dcfg:datc": {"meil": 7}}
    answer = town.ask("PUT", f"/cse-in/nod-{device.id}/datc", body=changed)
    assert answer.headers["X-M2M-RSC"] == "2004"
    town.work()
    assert device.sync(str(device.committed))["config"]["app"] == {"interval_s": 7}


def test_answer_that_is_lost_is_made_good_and_nothing_comes_twice(
    town: Town, other: Watched
) -> None:
    devices = onboarded(town, 2)
    other.is_lost = True  # all was made, and nobody heard of it
    town.jobs.run_due()
    other.is_lost = False
    assert [objects_of(town, device) for device in devices] == [WHOLE] * 2
    assert jobs_left(town) == 0


def test_server_that_ends_after_the_platform_was_told_tells_it_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = onboarded(town, 2)

    def ended(*told: Any) -> None:
        raise Unavailable("the server ends")

    with monkeypatch.context() as patched, pytest.raises(Unavailable):
        patched.setattr(DeviceChanges, "put_told", ended)
        town.jobs.run_due()
    assert jobs_left(town) == 6
    town.jobs.run_due()
    assert town.other.asked == ["POST /nodes"] * 2
    assert [objects_of(town, device) for device in devices] == [WHOLE] * 2
    assert jobs_left(town) == 0


def test_platform_of_an_earlier_release_is_told_one_by_one(town: Town, other: Watched) -> None:
    devices = onboarded(town, 2)
    other.has_way = False
    town.jobs.run_due()
    assert town.other.asked.count("POST /nodes") == 1
    assert [objects_of(town, device) for device in devices] == [WHOLE] * 2
    assert jobs_left(town) == 0


def test_node_that_is_another_keeps_no_other_device_waiting(town: Town) -> None:
    one, two = onboarded(town, 2)
    stranger = {"m2m:nod": {"rn": f"nod-{one.id}", "ni": "x", "hael": ["Cstranger01"]}}
    town.ask("POST", "/cse-in", body=stranger, ty=14)
    town.jobs.run_due()
    assert objects_of(town, two) == WHOLE
    assert objects_of(town, one) == WHOLE  # made in it one by one
    assert jobs_left(town) == 0


def test_device_that_was_released_meanwhile_is_told_of_no_more(town: Town) -> None:
    one, two = onboarded(town, 2)
    town.place.devices.release(one.id, OWNER)
    town.jobs.run_due()
    assert objects_of(town, two) == WHOLE
    assert objects_of(town, one) == set()


def test_platform_that_is_silent_is_asked_once_for_all(town: Town) -> None:
    onboarded(town, 20)
    asked = []

    def lost(*request: Any, **more: Any) -> Any:
        asked.append(request)
        raise NoAnswer("no connection")

    place = town.fields._places
    home = place._home
    place._home = replace(home, send=lost)
    town.jobs.run_due()
    place._home = home
    assert len(asked) == 1 and jobs_left(town) == 60
    town.place.clock.pass_s(5)
    town.jobs.run_due()
    assert jobs_left(town) == 0
    assert len(town.other.asked) == 2  # 16 devices, and 4

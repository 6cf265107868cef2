# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What is promised of a device's objects at its platform, in both directions? Real platforms."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from muster_server.platform_server.app import create_app
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import token_hash
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field
from tests.host_server.config_server.object_town import EDITOR, TOKEN, Other, Town
from tests.host_server.serving import served

OFFICE = "battery staple 7"


@pytest.fixture(scope="module")
def engine_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    engine = open_engine(database_url(Path(tmp_path_factory.mktemp("platform")), "platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    yield create_app(PlatformStore(engine), lambda: frozenset({token_hash(TOKEN)}))
    engine.dispose()


@pytest.fixture(scope="module")
def other(engine_app: ASGIApp) -> Other:
    return Other(engine_app)


@pytest.fixture(scope="module")
def url(other: Other) -> Iterator[str]:
    with served(other) as url:
        yield url


@pytest.fixture
def town(place: Field, url: str, other: Other) -> Town:
    return Town(place, url, other, is_home=True)


@pytest.fixture
def abroad(place: Field, url: str, other: Other) -> Town:
    return Town(place, url, other, is_home=False)


def secrets_of(device: Device) -> list[str]:
    document = device.configs[device.committed]
    server = document["config_server"]
    psks = [network["psk"] for network in document["networks"]]
    return [*psks, server["key"], server["adoption"], document["platform"]["token"] or "–"]


def test_platform_is_told_what_the_device_runs_and_no_secret(town: Town) -> None:
    objects = town.objects()
    assert set(objects) == {"dvi", "fwr", "swr", "reg", "autp", "crds", "datc", "wific"}
    assert objects["wific"]["ssid"] == "factory"
    assert objects["reg"]["oid"] == objects["datc"]["cntp"].split("/")[1]
    assert objects["crds"]["crid"] in str(town.place.platform.tokens)
    assert objects["datc"]["dc"] == "ok: version 1 runs"
    everything = json.dumps(objects)
    assert not [secret for secret in secrets_of(town.device) if secret in everything]


def test_change_becomes_a_version_that_is_tried_and_told(town: Town) -> None:
    assert town.change("datc", meil=5) == "2004"
    town.work()
    assert town.outcome("datc").startswith("pending: the next version")
    directive = town.sync()
    assert (directive["action"], directive["config"]["app"]) == ("configure", {"interval_s": 5})
    town.device.confirm(directive["config"]["version"])
    town.work()
    assert (town.objects()["datc"]["meil"], town.outcome("datc")) == (5, "ok: version 2 runs")
    assert town.sync()["action"] == "keep"
    assert {"change_wanted", "change_runs"} <= set(town.told())


def test_password_goes_into_the_version_and_stays_nowhere_else(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    credentials = {"enct": 4, "wpap": OFFICE}
    assert town.change("wific", ssid="office", wcrds=credentials) == "2004"
    town.work()
    network = town.sync()["config"]["networks"]
    assert network == [{"ssid": "office", "psk": OFFICE, "hidden": False, "ip": "dhcp"}]
    town.device.confirm(2)
    town.work()
    assert (town.objects()["wific"]["ssid"], town.outcome("wific")) == (
        "office",
        "ok: version 2 runs",
    )
    handed = town.ask("GET", f"/handed-on{town.node}/wific").json()
    said = json.dumps([town.objects(), handed, town.device.shown(), caplog.text])
    history = str(town.place.history_of(town.device))
    assert OFFICE not in said + history


def test_change_whose_taking_the_platform_did_not_hear_of_is_taken_once(town: Town) -> None:
    town.change("wific", ssid="office", wcrds={"enct": 4, "wpap": OFFICE})
    town.other.writes_fail = True
    town.work()
    town.device.confirm(town.sync()["config"]["version"])
    town.other.writes_fail = False
    town.place.clock.pass_s(3600)
    town.work()
    assert town.outcome("wific") == "ok: version 2 runs"
    assert town.sync()["action"] == "keep"
    assert town.told().count("change_wanted") == 1


def test_change_that_fails_is_taken_back_and_told(town: Town) -> None:
    town.change("wific", ssid="nowhere", wcrds={"enct": 1})
    town.work()
    assert town.sync()["config"]["version"] == 2
    failed = {"config": 2, "step": 8, "code": "wifi_no_ap", "detail": ""}
    assert town.sync(last=failed)["action"] == "keep"
    town.work()
    assert town.objects()["wific"]["ssid"] == "factory"
    assert town.outcome("wific") == (
        "failed: version 2 failed at step 8: wifi_no_ap; version 1 runs"
    )
    assert "change_failed" in town.told()


@pytest.mark.parametrize(
    ("name", "attributes", "reason"),
    [
        ("datc", {"meil": 0}, "refused: meil: wanted 1 to"),
        ("datc", {"cntp": "cse-in/elsewhere"}, "refused: cntp: this says what the device is"),
        ("wific", {"ssid": "office"}, "refused: wcrds: a network of another name"),
        ("wific", {"ssid": ""}, "refused: ssid: wanted the name"),
        ("wific", {"wcrds": {"enct": 4, "wpap": "short"}}, "refused: networks[0].psk: wanted 8"),
        ("wific", {"wcrds": {"enct": 2, "wepk": "abcdefghij"}}, "refused: wcrds: wanted enct 1"),
        ("wific", {"scan": True}, "refused: scan: this says"),
    ],
)
def test_nonsense_is_refused_with_its_reason_and_makes_no_version(
    town: Town, name: str, attributes: dict[str, Any], reason: str
) -> None:
    before = town.objects()[name]
    assert town.change(name, **attributes) == "2004"
    town.work()
    assert town.outcome(name).startswith(reason)
    after = town.objects()[name]
    ignored = {"lt", "dc"}
    assert {n: v for n, v in after.items() if n not in ignored} == {
        n: v for n, v in before.items() if n not in ignored
    }
    assert town.sync()["action"] == "keep"
    assert "short" not in json.dumps(after) + str(town.device.shown()["events"])


def test_interval_that_the_profiles_schema_does_not_take_is_refused(town: Town) -> None:
    schema = {"properties": {"interval_s": {"minimum": 10}}}
    town.place.profiles.replace("press", {**PROFILE, "app_schema": schema})
    town.change("datc", meil=5)
    town.work()
    assert town.outcome("datc").startswith("refused: app.interval_s")


def test_nobody_else_changes_anything(town: Town) -> None:
    assert town.change("datc", who="Cstranger", meil=5) != "2004"
    put = town.ask("PUT", f"{town.node}/crds", EDITOR, {"dcfg:crds": {"crid": "x"}})
    assert put.headers["X-M2M-RSC"] == "4103"


def test_later_change_of_the_portal_wins_and_both_are_told(town: Town) -> None:
    town.change("wific", ssid="office", wcrds={"enct": 4, "wpap": OFFICE})
    town.place.clock.now = time.time() + 60
    town.place.set_password("the portal's word")
    town.work()
    assert town.outcome("wific").startswith(
        "replaced: the portal's change of the network is newer"
    )
    assert town.sync()["config"]["networks"][0]["psk"] == "the portal's word"
    assert "change_replaced" in town.told()


def test_portals_change_ends_what_was_taken_before_it(town: Town) -> None:
    town.change("wific", ssid="office", wcrds={"enct": 4, "wpap": OFFICE})
    town.work()
    town.place.set_password("the portal's word")
    town.work()
    assert town.outcome("wific").startswith("replaced: ")
    assert town.sync()["config"]["networks"][0]["ssid"] == "factory"


def test_later_change_of_the_platform_wins_and_both_are_told(town: Town) -> None:
    town.place.set_password("the portal's word")
    town.change("wific", ssid="office", wcrds={"enct": 4, "wpap": OFFICE})
    town.work()
    assert town.sync()["config"]["networks"][0]["ssid"] == "office"
    news = town.device.shown()["events"][0]
    assert (news["code"], "later than the portal's" in news["detail"]) == ("change_wanted", True)


def test_change_of_something_else_at_the_portal_leaves_it(town: Town) -> None:
    town.change("datc", meil=5)
    town.work()
    town.place.set_password("the portal's word")
    config = town.sync()["config"]
    assert config["app"] == {"interval_s": 5}
    assert config["networks"][0]["psk"] == "the portal's word"


def test_node_that_was_removed_is_made_anew_and_the_device_is_unharmed(town: Town) -> None:
    town.ask("DELETE", town.node)
    assert town.objects() == {}
    town.work()
    assert set(town.objects()) >= {"datc", "wific", "reg"}
    assert town.sync()["action"] == "keep"
    assert "objects_gone" in [each.what for each in town.place.history_of(town.device)]


def test_release_leaves_nothing_of_the_device(town: Town) -> None:
    town.place.devices.release(town.device.id, OWNER)
    town.work()
    assert town.ask("GET", town.node).headers["X-M2M-RSC"] == "4004"
    assert town.ask("GET", f"/cse-in/acp-{town.device.id}-change").status_code == 404


def test_platform_of_others_has_the_same_with_policies(abroad: Town) -> None:
    assert abroad.change("datc", meil=7) == "2004"
    assert abroad.change("wific", ssid="office", wcrds={"enct": 4, "wpap": OFFICE}) == "2004"
    abroad.work()
    assert abroad.sync()["config"]["app"] == {"interval_s": 7}
    abroad.device.confirm(2)
    abroad.work()
    assert abroad.outcome("datc") == "ok: version 2 runs"
    originator = abroad.device.shown()["account"]["originator"]
    assert abroad.registered(originator) == "2001"
    abroad.place.devices.release(abroad.device.id, OWNER)
    abroad.work()
    assert abroad.ask("GET", abroad.node).headers["X-M2M-RSC"] == "4004"
    assert abroad.ask("GET", f"/{originator}").headers["X-M2M-RSC"] == "4004"


def test_platform_without_nodes_keeps_json_without_secrets(
    place: Field, url: str, other: Other
) -> None:
    town = Town(place, url, other, is_home=False, has_nodes=False)
    there = f"/cse-in/muster-configuration/{town.device.id}"
    town.work()
    state = json.loads(town.ask("GET", f"{there}/state/la").json()["m2m:cin"]["con"])
    assert (state["wific"]["ssid"], state["datc"]["dc"]) == ("factory", "ok: version 1 runs")
    assert town.device.shown()["account"]["originator"] not in json.dumps(state)

    wanted = {
        "datc": {"meil": 9},
        "wific": {"ssid": "office", "wcrds": {"enct": 4, "wpap": OFFICE}},
    }
    body = {"m2m:cin": {"con": json.dumps(wanted)}}
    assert town.ask("POST", f"{there}/wanted", EDITOR, body, 4).status_code == 201
    town.work()
    config = town.sync()["config"]
    assert (config["app"], config["networks"][0]["psk"]) == ({"interval_s": 9}, OFFICE)
    town.device.confirm(2)
    town.work()
    whole = town.ask("GET", f"{there}?rcn=4").text
    assert OFFICE not in whole
    assert "ok: version 2 runs" in whole
    town.place.devices.release(town.device.id, OWNER)
    town.work()
    policy = f"/cse-in/muster-configuration/wanted-{town.device.id}"
    gone = [town.ask("GET", path).headers["X-M2M-RSC"] for path in (there, policy)]
    assert gone == ["4004", "4004"]


def test_platform_that_lets_us_make_no_node_is_told_and_harms_nobody(
    place: Field, url: str, other: Other
) -> None:
    town = Town(place, url, other, is_home=False)
    town.place.devices.release(town.device.id, OWNER)
    other.refuses = "4103"
    second = place.registered()
    second.onboard()
    town.work()
    assert "objects_put_off" in [each.what for each in place.history_of(second)]
    assert second.sync(str(second.committed))["action"] == "keep"


def test_dead_platform_is_asked_less_and_less(abroad: Town, other: Other) -> None:
    abroad.work()
    other.is_down = True
    other.asked.clear()
    for _ in range(40):
        abroad.work()  # ten minutes
    assert 0 < len(other.asked) < 30
    other.is_down = False
    abroad.place.clock.pass_s(3600)
    abroad.change("datc", meil=3)
    abroad.work()
    assert abroad.sync()["config"]["app"] == {"interval_s": 3}


def test_platform_that_nobody_named_is_asked_nothing(place: Field, url: str, other: Other) -> None:
    town = Town(place, url, other, is_home=False)
    assert town.fields._places.at("http://127.0.0.1:9") is None

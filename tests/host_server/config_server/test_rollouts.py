# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a version reach its devices in waves, stop when too many fail, and go back?"""

from collections.abc import Iterator
from typing import Any

import pytest

from muster_server.config_server import rollouts
from muster_server.config_server.wave_members import in_waves
from muster_server.config_server.worker import Worker
from muster_server.errors import Conflict, NotFound
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field, open_field

OTHER = "o-0000000001"
NEW = PROFILE | {"app": {"every_s": 5}}
FAILED = {"step": 8, "code": "wifi_auth", "detail": "no"}


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def at_work(place: Field, number: int) -> list[Device]:
    devices = [place.registered() for _ in range(number)]
    for device in devices:
        device.onboard()
    return devices


def begun(place: Field, *waves: dict[str, Any], **more: Any) -> str:
    number = place.history.draft("press", NEW)["number"]
    rollout = place.rollouts.begin("press", number, OWNER, waves, "ada", **more)
    look(place)
    return str(rollout["id"])


def look(place: Field) -> None:
    place.clock.pass_s(10)
    for _ in range(4):
        place.worker.step()


def shown(place: Field, rollout: str) -> dict[str, Any]:
    return place.rollouts.shown(rollout, OWNER)


def in_wave(place: Field, rollout: str, devices: list[Device], wave: int) -> list[Device]:
    found = place.rollouts.devices(rollout, OWNER, None, "", 100)["devices"]
    names = {entry["device_id"] for entry in found if entry["wave"] == wave}
    return [device for device in devices if device.id in names]


def take(device: Device) -> int:
    """The device asks, is given what is new, and proves it; return its version."""
    running = device.committed
    given = device.sync(k=str(running))
    if given["action"] != "configure":
        return running
    version: int = given["config"]["version"]
    device.confirm(version)
    return version


def fail(device: Device) -> None:
    running = device.committed
    version = device.sync(k=str(running))["config"]["version"]
    device.sync(k=str(running), last={"config": version, **FAILED})


def test_whoever_was_given_nothing_before_a_stop_gets_nothing_after_it(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, *others = at_work(place, 4)
    rollout = begun(place)
    version = given.sync(k="1")["config"]["version"]
    with monkeypatch.context() as cut_off:  # before any slice of them was held back
        cut_off.setattr(place.rollouts, "_hold", lambda rollout_id: None)
        place.rollouts.stop(rollout, OWNER)
    assert [device.sync(k="1")["action"] for device in others] == ["keep"] * 3
    given.confirm(version)
    assert given.committed == version


@pytest.mark.parametrize("lot", [1, 2, 1000])
def test_devices_are_held_back_and_let_go_in_slices(
    place: Field, monkeypatch: pytest.MonkeyPatch, lot: int
) -> None:
    monkeypatch.setattr(rollouts, "_LOT", lot)
    devices = at_work(place, 5)
    rollout = begun(place)
    assert shown(place, rollout)["waves"][0]["states"] == {"offered": 5}
    stopped = place.rollouts.stop(rollout, OWNER)
    assert stopped["waves"][0]["states"] == {"held": 5}
    place.rollouts.go_on(rollout, OWNER)
    look(place)
    for device in devices:
        take(device)
    look(place)
    assert shown(place, rollout)["state"] == "done"
    place.rollouts._forget(rollout)
    assert place.rollouts.listed(OWNER) == []


def test_waves_go_on_by_hand_and_the_end_puts_the_version_in_force(place: Field) -> None:
    devices = at_work(place, 6)
    rollout = begun(place, {"number": 2})
    first, rest = (in_wave(place, rollout, devices, n) for n in (1, 2))
    assert (len(first), len(rest)) == (2, 4)
    assert [take(device) for device in rest] == [1] * 4
    assert [take(device) for device in first] == [2, 2]
    look(place)
    assert shown(place, rollout)["state"] == "waiting"
    assert place.history.listed("press", OWNER)["current"] == 1
    place.rollouts.go_on(rollout, OWNER)
    look(place)
    assert [take(device) for device in rest] == [2] * 4
    look(place)
    assert shown(place, rollout)["state"] == "done"
    listed = place.history.listed("press", OWNER)
    assert (listed["current"], listed["behind"]) == (2, 0)
    assert [take(device) for device in devices] == [2] * 6


def test_waves_go_on_by_themselves_when_enough_have_succeeded(place: Field) -> None:
    devices = at_work(place, 4)
    rollout = begun(place, {"percent": 50}, is_automatic=True, need_percent=50)
    first = in_wave(place, rollout, devices, 1)
    take(first[0])
    look(place)
    assert shown(place, rollout)["wave"] == 2
    for device in devices[:]:
        take(device)
    look(place)
    assert shown(place, rollout)["state"] == "done"


def test_too_many_failures_stop_it_and_nobody_else_gets_it(place: Field) -> None:
    devices = at_work(place, 6)
    rollout = begun(place, most_failed=1)
    fail(devices[0])
    look(place)
    assert shown(place, rollout)["state"] == "running"
    fail(devices[1])
    take(devices[2])
    look(place)
    now = shown(place, rollout)
    assert (now["state"], now["reason"], now["failed"]) == ("stopped", "failures", 2)
    assert now["waves"][0]["states"] == {"failed": 2, "held": 3, "succeeded": 1}
    assert [take(device) for device in devices[3:]] == [1, 1, 1]
    assert take(devices[0]) == 1  # it runs what it had before, and is left in peace
    look(place)
    assert shown(place, rollout)["waves"][0]["states"]["failed"] == 2
    assert take(devices[2]) == 2


def test_how_a_device_failed_is_told_after_it_came_home_and_works(place: Field) -> None:
    device, other = at_work(place, 2)
    rollout = begun(place)
    fail(device)
    look(place)
    device.confirm(1)  # it is at work with what it ran before, which is all that is wanted now
    look(place)
    (told,) = place.rollouts.devices(rollout, OWNER, "failed", "", 100)["devices"]
    assert told["attempt"]["state"] == "ok"
    failure = {name: told["failure"][name] for name in ("state", "version", *FAILED)}
    assert failure == {"state": "failed", "version": 2, **FAILED}
    place.rollouts.go_on(rollout, OWNER)
    look(place)
    take(device)
    take(other)
    look(place)
    found = place.rollouts.devices(rollout, OWNER, "succeeded", "", 100)["devices"]
    assert [told["failure"] for told in found] == [None, None]


def test_after_a_stop_it_goes_on_with_those_who_failed_too(place: Field) -> None:
    devices = at_work(place, 4)
    rollout = begun(place)
    fail(devices[0])
    look(place)
    assert shown(place, rollout)["state"] == "stopped"
    place.rollouts.go_on(rollout, OWNER)
    look(place)
    assert shown(place, rollout)["state"] == "running"
    for device in devices[1:]:
        take(device)
    look(place)
    take(devices[0])
    look(place)
    assert shown(place, rollout)["state"] == "done"


def test_abort_gives_everybody_the_version_before(place: Field) -> None:
    devices = at_work(place, 3)
    rollout = begun(place, {"number": 2})
    first = in_wave(place, rollout, devices, 1)
    for device in first:
        take(device)
    place.rollouts.abort(rollout, OWNER)
    assert place.history.listed("press", OWNER)["behind"] == 2
    for device in first:
        assert device.sync(k="2")["config"]["app"] == {}
    with pytest.raises(Conflict):
        place.rollouts.go_on(rollout, OWNER)
    place.profiles.replace("press", NEW)


def test_group_comes_first_and_devices_that_left_do_not_count(place: Field) -> None:
    devices = at_work(place, 4)
    for device in devices[:2]:
        place.devices.change(device.id, OWNER, None, None, "hall 3", None)
    rollout = begun(place, {"group": "hall 3"})
    assert {d.id for d in in_wave(place, rollout, devices, 1)} == {d.id for d in devices[:2]}
    assert len(shown(place, rollout)["waves"]) == 2
    place.devices.release(devices[0].id, OWNER)
    take(devices[1])
    look(place)
    assert shown(place, rollout)["state"] == "waiting"


def test_profile_is_at_rest_meanwhile(place: Field) -> None:
    at_work(place, 2)
    rollout = begun(place, {"number": 1})
    for change in (
        lambda: place.profiles.replace("press", NEW),
        lambda: place.profiles.remove("press"),
        lambda: place.history.use("press", 2),
        lambda: place.rollouts.begin("press", 2, OWNER, [], "ada"),
        lambda: place.passwords.begin("press", "factory", "a new password", is_draft=False),
    ):
        with pytest.raises(Conflict):
            change()
    place.rollouts.finish(rollout, OWNER)
    assert place.history.listed("press", OWNER)["current"] == 2


def test_version_that_changes_nothing_for_devices_is_through_at_once(place: Field) -> None:
    at_work(place, 3)
    number = place.history.draft("press", PROFILE | {"reonboarding": "always"})["number"]
    rollout = place.rollouts.begin("press", number, OWNER, [], "ada")["id"]
    look(place)
    assert shown(place, rollout)["state"] == "done"
    assert place.history.listed("press", OWNER)["behind"] == 0


def test_another_worker_goes_on_after_a_restart_and_two_do_not_at_once(place: Field) -> None:
    devices = at_work(place, 3)
    rollout = begun(place)
    other = Worker(place.store, (place.rollouts,), place.clock)
    take(devices[0])
    assert not other.step()
    assert not place.rollouts.step(lambda records: False)
    assert shown(place, rollout)["waves"][0]["states"] == {"offered": 3}
    place.clock.pass_s(60)
    other.step()
    assert shown(place, rollout)["waves"][0]["states"] == {"offered": 2, "succeeded": 1}


def test_roll_out_of_another_owner_is_not_there(place: Field) -> None:
    at_work(place, 1)
    rollout = begun(place)
    for deed in (
        place.rollouts.shown,
        place.rollouts.go_on,
        place.rollouts.stop,
        place.rollouts.abort,
        place.rollouts.finish,
    ):
        with pytest.raises(NotFound):
            deed(rollout, OTHER)
    with pytest.raises(NotFound):
        place.rollouts.devices(rollout, OTHER, None, "", 10)
    assert place.rollouts.listed(OTHER) == []


def test_what_cannot_be_rolled_out_is_refused(place: Field) -> None:
    with pytest.raises(NotFound):
        place.rollouts.begin("press", 7, OWNER, [], "ada")
    with pytest.raises(Conflict):
        place.rollouts.begin("press", 1, OWNER, [], "ada")
    number = place.history.draft("press", NEW)["number"]
    with pytest.raises(Conflict, match="no device"):
        place.rollouts.begin("press", number, OWNER, [], "ada")
    # Else a slip of the pen would begin with everybody else.
    at_work(place, 2)
    with pytest.raises(Conflict, match='in the group "hall3"'):
        begun(place, {"number": 1}, {"group": "hall3"})
    assert place.rollouts.listed(OWNER) == []


def test_whoever_gets_other_settings_or_is_given_up_leaves_it(place: Field) -> None:
    moved, gone, stays = at_work(place, 3)
    place.profiles.add(PROFILE | {"name": "other"})
    rollout = begun(place)
    place.devices.change(moved.id, OWNER, "other", None)
    place.devices.release(gone.id, OWNER)
    found = place.rollouts.devices(rollout, OWNER, None, "", 100)["devices"]
    assert [entry["device_id"] for entry in found] == [stays.id]
    assert shown(place, rollout)["waves"][0]["total"] == 1
    take(stays)
    look(place)
    assert shown(place, rollout)["state"] == "done"


def test_waves_hold_each_device_once() -> None:
    found = [(str(n), f"PRESS-{n}", "hall 3" if n < 10 else "") for n in range(1000)]
    waves: list[dict[str, Any]] = [
        {"percent": 1},
        {"group": "hall 3"},
        {"number": 50},
        {"percent": 10},
    ]
    members, used = in_waves(found, waves)
    assert sorted(m.claim_id for m in members) == sorted(name for name, _, _ in found)
    sizes = [sum(m.wave == n for m in members) for n in range(1, len(used) + 1)]
    assert sizes[0] == 10 and sizes[2:4] == [50, 100] and 1 <= sizes[1] <= 10

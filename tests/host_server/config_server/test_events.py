# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are events told in order, each once, of an owner's own devices, and without details?"""

from muster_server.config_server.events import EventService
from tests.host_server.config_server.field import OWNER, Field

FAILED = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "factory: 202"}
WRONG = [[3, "ok", 900], [8, "wifi_auth", 7000]]


def test_events_of_a_life_are_told_in_order(place: Field) -> None:
    events = EventService(place.store)
    start = events.after(OWNER, None)
    assert start["events"] == []
    device = place.registered()
    device.sync(timeline=[])
    device.sync(last=FAILED, timeline=WRONG)
    device.onboard()
    place.devices.release(device.id, OWNER)
    found = events.after(OWNER, start["next"])
    names = [event["event"] for event in found["events"]]
    assert names == ["device.added", "device.failed", "device.configured", "device.removed"]
    failed = found["events"][1]
    assert (failed["device_id"], failed["step"], failed["code"]) == (device.id, 8, "wifi_auth")
    assert "202" not in str(found)
    assert events.after(OWNER, found["next"]) == {"events": [], "next": found["next"]}
    assert events.after("o-somebody", start["next"])["events"] == []


def test_place_of_a_database_that_was_restored_since_means_the_newest(place: Field) -> None:
    events = EventService(place.store)
    place.registered()
    newest = events.after(OWNER, None)["next"]
    assert events.after(OWNER, newest + 1000) == {"events": [], "next": newest}

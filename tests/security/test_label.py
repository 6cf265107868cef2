# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What can somebody do who has a device's label, or once had the device?"""

import time

from tests.security.attacker import Device, ask, handshake
from tests.security.town import Town, new_label

_CUT_OFF_S = 15


def test_photo_of_a_label_before_its_registration_gets_nothing(town: Town) -> None:
    thief = Device(town.urls["config"], new_label(), "127.0.0.21")
    noise = handshake(thief.id, "label", thief.keys["label"])
    assert thief.send("label", bytes(noise.write_message(b"{}"))).status == 403


def test_photo_used_before_the_device_shows_in_its_owners_progress(town: Town) -> None:
    device = town.registered()
    thief = Device(town.urls["config"], device.label, "127.0.0.22")
    assert thief.sync()["action"] == "configure"  # the window is open: said in docs/security.md
    shown = town.shown(device)
    assert (shown["state"], shown["steps"][5]["state"]) == ("handed_out", "done")
    entries = town.owner("GET", f"/v1/devices/{device.id}/timeline").json()["entries"]
    assert any(entry["what"] == "handed_out" for entry in entries)


def test_photo_of_a_label_gets_nothing_once_the_device_is_at_work(town: Town) -> None:
    device = town.registered()
    device.onboard()
    thief = Device(town.urls["config"], device.label, "127.0.0.23")
    directive = thief.sync()
    assert (directive["action"], directive.get("config")) == ("wait", None)
    # Nor does what he reports change anything.
    thief.sync(last={"config": 1, "step": 8, "code": "wifi_auth", "detail": "forged"})
    thief.sync(state="committed", config=2147483000)
    shown = town.shown(device)
    assert (shown["state"], shown["version"], shown["window"]["open"]) == ("registered", 1, False)
    assert "window_closed" in [event["code"] for event in shown["events"]]


def test_stolen_device_is_cut_off_by_its_release(town: Town) -> None:
    device = town.registered()
    device.onboard()
    platform = device.configs[1]["platform"]
    headers = {
        "Authorization": f"Bearer {platform['token']}",
        "X-M2M-Origin": platform["originator"],
        "X-M2M-RI": "1",
        "X-M2M-RVI": "4",
    }
    before = ask(f"{platform['url']}/cse-in", headers=headers)
    assert before.status != 401
    town.release(device)
    directive = device.sync("1", state="committed", config=1)
    assert (directive["action"], directive.get("config")) == ("forget", None)
    # What is being done at the platform is ended first; then accounts go before all else.
    deadline = time.monotonic() + _CUT_OFF_S
    while ask(f"{platform['url']}/cse-in", headers=headers).status != 401:
        assert time.monotonic() < deadline, "the account is still good"


def test_former_owner_is_nobody_to_the_next_one(town: Town) -> None:
    device = town.registered()
    device.onboard()
    town.release(device)
    former = Device(town.urls["config"], device.label, "127.0.0.24", keys=dict(device.keys))
    again = town.registered(device.label)
    version = again.onboard()
    assert former.sync()["action"] == "wait"
    noise = handshake(former.id, "1", former.keys["1"])
    assert former.send("1", bytes(noise.write_message(b"{}"))).status == 403
    config = again.configs[version]
    assert config["platform"]["originator"] != device.configs[1]["platform"]["originator"]


def test_other_label_of_the_same_id_is_not_heard_once_one_was_proved(town: Town) -> None:
    device = town.registered()
    device.onboard()
    squatter = new_label(device.id)
    typed = {"label": squatter, "profile": "press", "name": ""}
    assert town.owner("POST", "/v1/devices", typed).status == 409
    noise = handshake(device.id, "label", Device(town.urls["config"], squatter).keys["label"])
    assert device.send("label", bytes(noise.write_message(b"{}")), "127.0.0.25").status == 403

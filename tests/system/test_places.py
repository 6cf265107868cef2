# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A network is a place, not a name: several access points bear one, some hide it, some lie."""

import re
from typing import Any

import pytest

from muster_harness.air.air import AccessPoint
from tests.system import test_outcomes
from tests.system.board_time import hasty
from tests.system.story import Story
from tests.system.test_living_with_it import mpremote
from tests.system.test_outcomes import agreed

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
_OTHER_PASSWORD = "somebody else's password"


def another(story: Story, ssid: str | bytes = "factory", **settings: Any) -> AccessPoint:
    """An access point nearer than the right one, on a channel that a driver scans before."""
    given: dict[str, Any] = {"password": story.password, "rssi": -40, "channel": 1} | settings
    return story.air.add_access_point(ssid, **given)


def where(story: Story) -> str:
    """The BSSID of what the board has joined last."""
    bssid: str = story.air.traced("join")[-1].details["bssid"]
    return bssid


def failed(story: Story, step: int, code: str) -> str:
    """The step's detail once the device has tried for as long as a trial lasts."""
    with hasty(story.board, speed=10):
        return test_outcomes.failed(story, step, code)


def refused(story: Story, point: AccessPoint) -> int:
    """Count how often an access point has said no."""
    said = story.air.traced("refused")
    return sum(event.details.get("bssid") == point.bssid.hex(":") for event in said)


def named_in_build(story: Story, ssid: str) -> None:
    """Before it is switched on, with the network's name in the board's build."""
    story.board.power_on()
    code = f"""
import json
with open("/muster.json") as f: facts = json.load(f)
facts["onboarding"]["ssid"] = {ssid!r}
with open("/muster.json", "w") as f: json.dump(facts, f)
"""
    mpremote(story, "exec", code)
    story.board.power_off()
    story.board.forget_output()


def test_one_that_refuses_everybody_is_passed_over_and_remembered(story: Story) -> None:
    ill = another(story)
    ill.refuse(5)
    story.onboard()
    assert where(story) == story.operational.bssid.hex(":")
    tried = refused(story, ill)
    assert tried
    story.operational.throw_out()
    story.board.expect(rb"step 9 ok", _PATIENCE_S)
    assert where(story) == story.operational.bssid.hex(":")
    assert refused(story, ill) == tried, "it is known to be ill, and the other one is as good"


def test_one_that_has_healed_is_found_when_the_other_one_goes(story: Story) -> None:
    ill = another(story, beside=story.operational)
    ill.refuse(5)
    story.onboard()
    ill.let_in()
    story.operational.remove()
    story.board.expect(rb"step 9 ok", _PATIENCE_S)
    assert where(story) == ill.bssid.hex(":")


def test_one_that_was_ill_long_ago_is_the_strongest_again(story: Story) -> None:
    ill = another(story, beside=story.operational)
    ill.refuse(5)
    story.onboard()
    ill.let_in()
    story.board.clock.jump(3600)
    story.operational.throw_out()
    story.board.expect(rb"step 9 ok", _PATIENCE_S)
    assert where(story) == ill.bssid.hex(":")


def test_one_that_gives_no_address_is_passed_over(story: Story) -> None:
    another(story, dhcp_s=None)
    story.begin()
    story.switch_on()
    story.board.expect(rb"step 7 ok", _PATIENCE_S)
    with hasty(story.board, speed=5):
        story.committed(_PATIENCE_S)
    assert where(story) == story.operational.bssid.hex(":")


def test_a_neighbours_of_the_same_name_is_passed_over(story: Story) -> None:
    another(story, password=_OTHER_PASSWORD)
    story.onboard()
    assert where(story) == story.operational.bssid.hex(":")


def test_if_only_the_neighbours_is_there_it_is_said_that_it_may_be_another(story: Story) -> None:
    another(story, password=_OTHER_PASSWORD)
    story.operational.remove()
    label = story.begin()
    story.switch_on()
    assert "another network of that name" in failed(story, 8, "wifi_auth")
    assert "another network of that name" in agreed(story, label, 8, "wifi_auth")
    story.operational.restore()
    story.press()
    story.committed(_PATIENCE_S)


def test_one_with_another_security_is_passed_over(story: Story) -> None:
    another(story, password=None)
    another(story, security=6, rssi=-35, channel=3, password=_OTHER_PASSWORD)
    story.onboard()
    assert where(story) == story.operational.bssid.hex(":")


def test_one_that_lets_everybody_in_and_leads_nowhere_gives_way_to_the_other(
    story: Story,
) -> None:
    story.operational.remove()
    right = another(story, password=None, rssi=-60, beside=story.operational)
    twin = another(story, password=None)
    networks = [{"ssid": "factory", "psk": None, "hidden": False, "ip": "dhcp"}]
    story.begin(networks=networks)
    story.switch_on()
    story.wait_until_joined("factory", _PATIENCE_S)
    assert where(story) == twin.bssid.hex(":")
    with hasty(story.board, speed=5):
        story.committed(_PATIENCE_S)
    assert where(story) == right.bssid.hex(":")


def test_one_that_leads_nowhere_gives_way_at_work_too(story: Story) -> None:
    story.onboard()
    twin = another(story)
    story.operational.throw_out()
    with hasty(story.board, speed=5):
        story.board.expect(rb"step 9 platform_unreachable", _PATIENCE_S)
        assert where(story) == twin.bssid.hex(":")
        story.board.expect(rb"step 9 ok", _PATIENCE_S)
    assert where(story) == story.operational.bssid.hex(":")


def test_one_that_leads_nowhere_is_left_once_another_one_is_there(story: Story) -> None:
    story.onboard()
    twin = another(story)
    story.operational.remove()
    with hasty(story.board, speed=5):
        story.board.expect(rb"step 9 platform_unreachable", _PATIENCE_S)
        assert where(story) == twin.bssid.hex(":")
    story.operational.restore()
    with hasty(story.board, speed=40):  # its router answers, so that it is given a while
        story.board.expect(rb"step 9 ok", _PATIENCE_S)
    assert where(story) == story.operational.bssid.hex(":")


def test_a_hidden_one_that_refuses_gives_way_to_another_hidden_one(story: Story) -> None:
    story.operational.hidden = True
    another(story, hidden=True).refuse(5)
    networks = [{"ssid": "factory", "psk": story.password, "hidden": True, "ip": "dhcp"}]
    story.begin(networks=networks)
    story.switch_on()
    story.committed(_PATIENCE_S)
    assert where(story) == story.operational.bssid.hex(":")


def test_a_hidden_one_is_found_beside_a_neighbours_that_is_not(story: Story) -> None:
    story.operational.hidden = True
    another(story, password=_OTHER_PASSWORD)
    networks = [{"ssid": "factory", "psk": story.password, "hidden": True, "ip": "dhcp"}]
    story.begin(networks=networks)
    story.switch_on()
    story.committed(_PATIENCE_S)
    assert where(story) == story.operational.bssid.hex(":")


@pytest.mark.parametrize("with_stranger", [False, True])
def test_the_hidden_one_that_is_named_in_the_build_is_joined(
    story: Story, with_stranger: bool
) -> None:
    story.onboarding.remove()
    desk = story.air.add_access_point("desk", hidden=True, beside=story.onboarding)
    if with_stranger:
        story.air.add_access_point("MUSTER-stranger", rssi=-20).refuse(5)
    story.begin()
    named_in_build(story, "desk")
    story.switch_on()
    story.committed(_PATIENCE_S)
    assert story.air.traced("join")[0].details["bssid"] == desk.bssid.hex(":")


def test_a_twin_of_the_onboarding_network_is_passed_over(story: Story) -> None:
    another(story, "MUSTER-demo", password=None, rssi=-20)
    story.onboard()
    joined = [event.details["bssid"] for event in story.air.traced("join")]
    assert story.onboarding.bssid.hex(":") in joined


def test_a_strangers_onboarding_network_without_addresses_does_not_end_the_search(
    story: Story,
) -> None:
    story.onboarding.remove()
    story.air.add_access_point("MUSTER-stranger", rssi=-20, dhcp_s=None)
    story.begin()
    story.switch_on()
    failed(story, 4, "dhcp_timeout")
    story.onboarding.restore()
    story.committed(_PATIENCE_S)
    assert b"the radio says" not in story.board.output


@pytest.mark.parametrize("ssid", [b"B\xfcro", b"\xff\xfe", b"two\nlines", b"base64:Zm9v"])
def test_a_name_that_is_no_text_can_be_given_back_as_it_is_shown(
    story: Story, ssid: bytes
) -> None:
    story.operational.remove()
    home = story.air.add_access_point(ssid, password=story.password, beside=story.operational)
    label = story.begin()
    story.switch_on()
    failed(story, 8, "wifi_no_ap")
    (shown,) = [
        network[0]
        for network in story.device(label)["device"]["scan"]
        if network[0].startswith("base64:")
    ]
    network = {"ssid": shown, "psk": story.password, "hidden": False, "ip": "dhcp"}
    story.change_profile(networks=[network])
    story.press()
    story.committed(_PATIENCE_S)
    assert where(story) == home.bssid.hex(":")
    assert story.device(label)["networks"] == [shown]


STEERED = [(2, 3), (5, 3), (15, 3), (202, 3), (203, 3), (15, 2), (204, 2), (5, 4)]


@pytest.mark.parametrize(("reason", "times"), STEERED)
def test_a_station_that_is_steered_is_patient(story: Story, reason: int, times: int) -> None:
    story.operational.refuse(reason, times=times)
    story.onboard()
    assert re.search(rb"step 8 (?!ok)", bytes(story.board.output)) is None


def test_a_password_that_is_refused_at_a_weak_signal_may_be_right(story: Story) -> None:
    story.operational.rssi = -88
    story.operational.refuse(15)
    story.begin()
    story.switch_on()
    assert "weak signal" in failed(story, 8, "wifi_timeout")


def test_a_password_is_not_blamed_if_other_things_are_said_as_well(story: Story) -> None:
    for _ in range(60):
        story.operational.refuse(15, times=3)
        story.operational.refuse(5, times=3)
    story.begin()
    story.switch_on()
    failed(story, 8, "wifi_timeout")


def network(story: Story, ssid: str, **changes: Any) -> dict[str, Any]:
    return {"ssid": ssid, "psk": story.password, "hidden": False, "ip": "dhcp"} | changes


def test_a_refused_password_is_told_before_an_absent_network(story: Story) -> None:
    wrong = network(story, "factory", psk="not that one")
    label = story.begin(networks=[wrong, network(story, "backup")])
    story.switch_on()
    detail = failed(story, 8, "wifi_auth")
    assert detail.index("factory: password refused") < detail.index("backup: not heard")
    assert "'factory'" in agreed(story, label, 8, "wifi_auth")


def test_whatever_the_order_of_the_networks(story: Story) -> None:
    wrong = network(story, "factory", psk="not that one")
    story.begin(networks=[network(story, "backup"), network(story, "third"), wrong])
    story.switch_on()
    detail = failed(story, 8, "wifi_auth")
    assert detail.startswith("factory: password refused")
    assert "backup: not heard" in detail and "third: not heard" in detail


def test_another_security_and_a_refusal_are_both_told(story: Story) -> None:
    another(story, "guests", password=None)
    story.operational.refuse(5)
    story.begin(networks=[network(story, "factory"), network(story, "guests")])
    story.switch_on()
    detail = failed(story, 8, "wifi_security")
    assert detail.startswith("guests: status 21") and "factory: status 5" in detail


def test_no_address_is_told_before_a_refused_password(story: Story) -> None:
    another(story, "guests", password=_OTHER_PASSWORD)
    story.operational.dhcp_s = None
    story.begin(networks=[network(story, "guests"), network(story, "factory")])
    story.switch_on()
    story.board.expect(rb"step 7 ok", _PATIENCE_S)
    detail = failed(story, 8, "dhcp_timeout")
    assert detail.startswith("factory gives no address") and "guests: password refused" in detail

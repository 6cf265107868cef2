# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the offline flow promise until the bundle is in somebody's hands?"""

import pytest

from muster_server.config_server import bundle as form
from muster_server.errors import BundleRefused, Conflict, NotFound, ServiceUnreachable
from muster_server.label import Label, new_label
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field


def carried(place: Field, device: Device) -> form.Content:
    """Return what the device finds in the newest bundle."""
    text, _ = place.bundles.hand_out(device.id, OWNER)
    return form.opened(device.label, text)


def steps_of(device: Device) -> list[tuple[str, str | None]]:
    return [(step["state"], step.get("by")) for step in device.shown()["steps"]]


def test_bundle_holds_what_a_sync_would_give(place: Field) -> None:
    device, online = place.registered(), place.registered()
    place.bundles.make(device.id, OWNER)
    config = carried(place, device).config
    directive = online.sync()["config"]
    own = {"originator", "token"}
    assert config["networks"] == directive["networks"]
    assert {n for n, v in config["platform"].items() if v != directive["platform"][n]} == own
    assert (
        config["platform"]["token"]
        in place.platform.tokens[config["platform"]["originator"]].values()
    )


def test_device_moves_through_prepared_and_handed_out(place: Field) -> None:
    device = place.registered()
    made = place.bundles.make(device.id, OWNER)
    assert (made["state"], made["version"]) == ("prepared", 1)
    assert device.shown()["state"] == "prepared"
    place.bundles.hand_out(device.id, OWNER)
    shown = device.shown()
    assert (shown["state"], shown["bundle"]["state"]) == ("handed_out", "handed_out")
    assert steps_of(device)[2:] == [("done", "bundle")] * 3 + [("pending", None)] * 4


def test_same_bundle_is_handed_out_until_there_is_a_newer_one(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    texts = {place.bundles.hand_out(device.id, OWNER)[0] for _ in range(3)}
    assert len(texts) == 1
    assert place.bundles.make(device.id, OWNER)["version"] == 2
    assert place.bundles.hand_out(device.id, OWNER)[0] not in texts
    states = [b["state"] for b in place.bundles.all_shown(device.id, OWNER)]
    assert states == ["handed_out", "superseded"]


def test_version_of_a_bundle_was_never_given_before(place: Field) -> None:
    device = place.registered()
    online = device.sync()["config"]["version"]
    assert place.bundles.make(device.id, OWNER)["version"] > online


def test_bundle_can_be_made_above_what_the_device_has(place: Field) -> None:
    device = place.registered()
    assert place.bundles.make(device.id, OWNER, above=50)["version"] == 51


def test_bundle_without_wifi_holds_all_but_the_networks(place: Field) -> None:
    device = place.registered()
    allowed = PROFILE | {"policy": PROFILE.get("policy", {}) | {"local_wifi": True}}
    place.profiles.replace("press", allowed)
    place.bundles.make(device.id, OWNER, without_wifi=True)
    config = carried(place, device).config
    assert config["networks"] == [] and config["policy"]["local_wifi"] is True
    # Asked over the network, the server still says which networks there are.
    assert device.sync()["config"]["networks"] != []
    place.bundles.make(device.id, OWNER)
    assert carried(place, device).config["networks"] != []


def test_bundle_without_wifi_is_refused_where_nobody_may_give_one(place: Field) -> None:
    device = place.registered()
    with pytest.raises(Conflict, match='profile "press" does not let.*set policy.local_wifi'):
        place.bundles.make(device.id, OWNER, without_wifi=True)
    assert place.bundles.all_shown(device.id, OWNER) == []
    assert place.bundles.make(device.id, OWNER)["version"] == 1


def test_online_configuration_supersedes_the_bundle(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    place.set_password("another horse")
    device.onboard()
    assert device.shown()["bundle"]["state"] == "superseded"


def test_bundle_expires_if_it_was_asked_for(place: Field) -> None:
    device = place.registered()
    assert place.bundles.make(device.id, OWNER)["expires_at"] is None
    made = place.bundles.make(device.id, OWNER, life_s=3600)
    content = carried(place, device)
    assert content.exp == made["expires_at"] == content.time + 3600
    place.clock.pass_s(3600)
    assert device.shown()["bundle"]["state"] == "expired"


def test_bundle_that_its_device_would_refuse_is_not_handed_out(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    place.set_password("another horse")
    device.onboard()
    before = device.shown()
    with pytest.raises(Conflict, match="newer than version 1.*make a new one"):
        place.bundles.hand_out(device.id, OWNER)
    assert device.shown() == before


def test_bundle_that_has_expired_is_not_handed_out(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER, life_s=3600)
    place.clock.pass_s(3600)
    with pytest.raises(Conflict, match="has expired; make a new one"):
        place.bundles.hand_out(device.id, OWNER)
    assert device.shown()["state"] == "prepared"


def test_device_at_work_stays_so_while_its_next_bundle_is_carried(place: Field) -> None:
    device = place.registered()
    device.onboard()
    before = device.shown()["steps"]
    place.bundles.make(device.id, OWNER)
    place.bundles.hand_out(device.id, OWNER)
    shown = device.shown()
    assert (shown["state"], shown["steps"]) == ("registered", before)
    assert shown["bundle"]["state"] == "handed_out"


def test_making_and_handing_out_are_audited_without_the_bundle(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    text, _ = place.bundles.hand_out(device.id, OWNER)
    place.bundles.hand_out(device.id, OWNER)
    events = [(e["code"], e["detail"]) for e in device.shown()["events"]]
    assert events == [("bundle_handed_out", "version 1"), ("bundle_made", "version 1")]
    told = [m.what for m in place.history_of(device) if m.source == "portal"]
    assert told == ["claimed", "bundle_made", "bundle_handed_out"]
    assert text not in str(device.shown()) + str(place.history_of(device))


def test_label_that_is_used_once_makes_no_second_onboarding(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.profiles.replace("press", PROFILE | {"reonboarding": "never"})
    with pytest.raises(Conflict, match="used once"):
        place.bundles.make(device.id, OWNER)


def test_platform_that_is_down_makes_no_bundle(place: Field) -> None:
    place.platform.is_down = True
    device = place.registered()
    with pytest.raises(ServiceUnreachable):
        place.bundles.make(device.id, OWNER)
    assert place.bundles.all_shown(device.id, OWNER) == []


def test_there_is_nothing_to_hand_out_before_one_was_made(place: Field) -> None:
    device = place.registered()
    with pytest.raises(NotFound, match="make one first"):
        place.bundles.hand_out(device.id, OWNER)


def test_only_so_many_are_remembered_and_only_the_newest_text(place: Field) -> None:
    device = place.registered()
    for _ in range(20):
        place.bundles.make(device.id, OWNER)
    with place.store.transaction() as records:
        (claim,) = records.claims_of(device.id)
        kept = records.bundles.of(claim.id)
    assert [b.version for b in kept] == list(range(5, 21))
    assert [b.version for b in kept if b.text is not None] == [20]


# check


def test_bundle_is_recognised_with_white_space_in_it(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    text, _ = place.bundles.hand_out(device.id, OWNER)
    wrapped = "\r\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    checked = place.bundles.check(wrapped, OWNER)
    assert (checked["device_id"], checked["state"]) == (device.id, "handed_out")


def test_bundle_that_was_changed_is_refused(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    text, _ = place.bundles.hand_out(device.id, OWNER)
    at = text.rindex(".") - 20
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    with pytest.raises(BundleRefused, match="did not seal it"):
        place.bundles.check(changed, OWNER)
    with pytest.raises(BundleRefused, match="all of it copied"):
        place.bundles.check(text[: len(text) // 2], OWNER)


def test_bundle_of_a_former_label_is_said_so(place: Field) -> None:
    device = place.registered(new_label("PRESS-4"))
    device.onboard()
    place.bundles.make(device.id, OWNER)
    text, _ = place.bundles.hand_out(device.id, OWNER)
    place.devices.release(device.id, OWNER)
    place.registered(new_label("PRESS-4"))
    with pytest.raises(BundleRefused, match="former label"):
        place.bundles.check(text, OWNER)


def test_bundle_of_somebody_elses_device_is_not_found(place: Field) -> None:
    text = form.sealed(new_label("NOT-OURS"), 1795400000, None, {})
    with pytest.raises(NotFound):
        place.bundles.check(text, OWNER)


def test_bundle_that_another_server_made_is_said_so(place: Field) -> None:
    label = Label("PRESS-4", bytes(20))
    place.registered(label)
    text = form.sealed(label, 1795400000, None, {})
    with pytest.raises(BundleRefused, match="not among the newest"):
        place.bundles.check(text, OWNER)

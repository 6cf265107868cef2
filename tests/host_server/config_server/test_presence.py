# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does looking for a device at its platform promise: to its page, and to its registration?"""

from collections.abc import Callable

import pytest

from muster_server.config_server.bundles import CARRIED_LIFE_S
from muster_server.config_server.platform_view import PlatformView
from muster_server.errors import NotFound
from muster_server.store.claims import CLAIM_LIFE_S
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field

TRIAL_S = 901


def test_device_is_registered_as_soon_as_the_platform_has_seen_it(place: Field) -> None:
    device = place.registered()
    place.receipts.check(device.id, OWNER, device.apply_bundle())
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "applied"
    place.clock.pass_s(10)
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"
    assert device.shown()["bundle"]["seen_at"] == place.clock()


def test_device_whose_receipt_nobody_enters_is_seen_at_the_platform_all_the_same(
    place: Field,
) -> None:
    device = place.registered()
    device.apply_bundle()
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    shown = device.shown()
    assert (shown["state"], shown["steps"][8]["state"]) == ("registered", "done")
    assert shown["version"] == 0  # which version it runs nobody has proved
    assert shown["claim"] == "proved"
    place.clock.pass_s(CLAIM_LIFE_S + 1)
    place.presence.end_expired()
    place.jobs.run_due()
    assert device.shown()["state"] == "registered"
    originator = device.configs[1]["platform"]["originator"]
    assert len(place.platform.tokens[originator]) == 1


def test_device_that_nobody_asks_about_is_looked_for_before_its_claim_ends(
    place: Field,
) -> None:
    device = place.registered()
    device.apply_bundle()
    place.show_at_platform()
    place.clock.pass_s(CLAIM_LIFE_S + 1)
    place.presence.end_expired()
    assert device.shown()["claim"] == "unproved"  # its bundle is in somebody's hands
    place.clock.pass_s(CARRIED_LIFE_S)
    place.presence.end_expired()
    assert device.shown()["state"] == "registered"


def test_claim_whose_bundle_nobody_applied_ends_a_year_after_it_was_handed_out(
    place: Field,
) -> None:
    device = place.registered()
    device.apply_bundle()
    place.clock.pass_s(CARRIED_LIFE_S + 1)
    place.presence.end_expired()
    with pytest.raises(NotFound):
        device.shown()


def while_the_platform_answers(
    place: Field, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]
) -> None:
    def seen(originator: str) -> PlatformView:
        deed()
        return place.platform.view

    place.show_at_platform()
    monkeypatch.setattr(place.platform, "seen", seen)


def test_receipt_that_comes_while_the_platform_is_asked_is_kept(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = place.registered()
    receipt = device.apply_bundle()
    while_the_platform_answers(
        place, monkeypatch, lambda: place.receipts.check(device.id, OWNER, receipt)
    )
    place.presence.look(device.id, OWNER)
    bundle = device.shown()["bundle"]
    assert (bundle["outcome"], bundle["receipt_at"]) == ("ok", place.clock())
    assert bundle["seen_at"] == place.clock()


def test_bundle_that_is_made_while_the_platform_is_asked_was_not_seen(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = place.registered()
    device.apply_bundle()
    while_the_platform_answers(place, monkeypatch, lambda: device.apply_bundle())
    place.presence.look(device.id, OWNER)
    assert [b["seen_at"] for b in place.bundles.all_shown(device.id, OWNER)] == [None, None]
    assert device.shown()["state"] == "handed_out"


def test_platform_that_is_down_is_not_asked_each_time(place: Field) -> None:
    device = place.registered()
    device.apply_bundle()
    place.platform.is_down = True
    place.presence.look(device.id, OWNER)
    place.platform.is_down = False
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "handed_out"
    place.clock.pass_s(3)
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"


# a device that was configured online, and whose confirmation never came


def committed_in_silence(place: Field) -> Device:
    """Return a device that got its configuration, registered, and lost sight of this server."""
    device = place.registered()
    device.sync()
    place.clock.pass_s(5)
    place.show_at_platform()
    return device


def test_device_that_could_not_confirm_is_registered_all_the_same(place: Field) -> None:
    device = committed_in_silence(place)
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "handed_out"  # it is about to tell by itself
    place.clock.pass_s(TRIAL_S)
    place.presence.look(device.id, OWNER)
    shown = device.shown()
    assert (shown["state"], shown["claim"], shown["version"]) == ("registered", "proved", 0)
    assert (shown["steps"][8]["state"], shown["steps"][8].get("by")) == ("done", None)


def test_confirmation_that_comes_after_all_proves_its_version(place: Field) -> None:
    device = committed_in_silence(place)
    place.clock.pass_s(TRIAL_S)
    place.presence.look(device.id, OWNER)
    assert device.confirm(1)["retry_s"] == 3600
    assert device.shown()["version"] == 1


def test_device_that_could_not_confirm_keeps_its_account(place: Field) -> None:
    device = committed_in_silence(place)
    place.clock.pass_s(CLAIM_LIFE_S)
    place.presence.end_expired()
    assert len(device.tokens()) == 1
    assert device.shown()["state"] == "registered"


def test_account_that_an_owner_replaced_counts_as_long_as_a_device_may_use_it(
    place: Field,
) -> None:
    device = committed_in_silence(place)
    seen = place.platform.view
    used = device.configs[1]["platform"]["originator"]
    place.devices.new_account(device.id, OWNER)
    place.clock.pass_s(CLAIM_LIFE_S)
    place.platform.views = {used: seen}
    place.presence.end_expired()
    place.jobs.run_due()
    assert device.shown()["claim"] == "proved"
    assert used in place.platform.tokens


def test_platform_that_was_renamed_is_asked_where_it_is_now(place: Field) -> None:
    device = committed_in_silence(place)
    place.platforms.url = "http://renamed.example:8422"
    place.clock.pass_s(CLAIM_LIFE_S)
    place.presence.end_expired()
    assert device.shown()["claim"] == "proved"


def test_device_at_a_platform_that_tells_nothing_is_known_for_a_year(place: Field) -> None:
    place.platforms.url = "http://ours.example:8422"  # and the profile's is somebody else's
    device = place.registered()
    device.sync()
    place.clock.pass_s(CLAIM_LIFE_S)
    place.presence.end_expired()
    assert device.shown()["expires_at"] == place.clock() - CLAIM_LIFE_S + CARRIED_LIFE_S
    place.clock.pass_s(CARRIED_LIFE_S)
    place.presence.end_expired()
    with pytest.raises(NotFound):
        device.shown()


def test_nothing_ends_while_the_platform_is_silent(place: Field) -> None:
    online, carried = place.registered(), place.registered()
    online.sync()
    carried.apply_bundle()
    place.platform.is_down = True
    place.clock.pass_s(CARRIED_LIFE_S)
    place.presence.end_expired()
    assert online.sync("1")["action"] == "keep"
    assert carried.sync("1")["action"] == "keep"


def test_silent_platform_has_the_last_word_when_it_is_back(place: Field) -> None:
    device = place.registered()
    device.sync()
    place.platform.is_down = True
    place.clock.pass_s(CLAIM_LIFE_S)
    place.presence.end_expired()
    place.platform.is_down = False
    place.presence.end_expired()
    assert device.shown()["claim"] == "unproved"  # not asked each time
    place.clock.pass_s(3600)
    place.presence.end_expired()
    with pytest.raises(NotFound):
        device.shown()


def test_device_whose_registration_has_expired_is_known_until_it_is_ended(place: Field) -> None:
    device = place.registered()
    device.sync()
    place.clock.pass_s(CLAIM_LIFE_S)
    device.confirm(1)
    place.presence.end_expired()
    assert device.shown()["version"] == 1


def test_registering_another_device_ends_nobodys_registration(place: Field) -> None:
    device = committed_in_silence(place)
    place.clock.pass_s(CLAIM_LIFE_S)
    place.registered()
    assert len(device.tokens()) == 1


def test_of_many_that_expire_at_once_each_is_looked_for(place: Field) -> None:
    devices = [place.registered() for _ in range(40)]
    for device in devices:
        device.sync()
    place.show_at_platform()
    place.clock.pass_s(CLAIM_LIFE_S)
    for _ in range(3):
        place.presence.end_expired()
    assert {device.shown()["claim"] for device in devices} == {"proved"}


def test_registration_with_nothing_handed_out_ends_without_a_question(place: Field) -> None:
    device = place.registered()
    place.platform.is_down = True
    place.clock.pass_s(CLAIM_LIFE_S)
    place.presence.end_expired()
    with pytest.raises(NotFound):
        device.shown()


# which bundle it was


def test_new_bundle_is_not_seen_because_the_device_renews_under_the_old_one(
    place: Field,
) -> None:
    device = place.registered()
    device.apply_bundle()
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    place.clock.pass_s(10)
    device.apply_bundle()
    place.clock.pass_s(10)
    place.show_at_platform("renewed", "came_again")
    place.presence.look(device.id, OWNER)
    newer, older = place.bundles.all_shown(device.id, OWNER)
    assert (newer["seen_at"], older["seen_at"]) == (None, place.clock() - 20)


def test_device_that_applied_its_bundle_is_looked_for_while_the_next_one_is_carried(
    place: Field,
) -> None:
    device = place.registered()
    place.receipts.check(device.id, OWNER, device.apply_bundle())
    place.clock.pass_s(10)
    place.show_at_platform()
    device.apply_bundle()
    assert device.shown()["state"] == "applied"
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"
    newer, older = place.bundles.all_shown(device.id, OWNER)
    assert (newer["seen_at"], older["seen_at"]) == (None, place.clock())


def test_device_that_registered_with_a_bundle_nobody_looked_for_is_registered(
    place: Field,
) -> None:
    device = place.registered()
    device.apply_bundle()
    place.clock.pass_s(10)
    place.show_at_platform()
    place.clock.pass_s(10)
    device.apply_bundle()
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"
    assert [b["seen_at"] for b in place.bundles.all_shown(device.id, OWNER)] == [None, None]


def test_bundle_after_a_failure_online_is_seen(place: Field) -> None:
    device = place.registered()
    device.sync()
    last = {"config": 1, "step": 8, "code": "wifi_auth", "detail": ""}
    device.sync(last=last)
    assert device.shown()["claim"] == "proved"
    place.profiles.replace("press", PROFILE | {"country": "FR"})
    device.apply_bundle()
    place.clock.pass_s(10)
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"
    assert device.shown()["bundle"]["seen_at"] == place.clock()


def test_bundle_after_a_trial_that_registered_and_failed_is_not_taken_for_seen(
    place: Field,
) -> None:
    device = place.registered()
    device.sync()
    place.clock.pass_s(10)
    place.show_at_platform()
    device.sync(last={"config": 1, "step": 9, "code": "power_lost", "detail": ""})
    place.clock.pass_s(10)
    device.apply_bundle()
    place.clock.pass_s(10)
    place.show_at_platform("came_again")
    place.presence.look(device.id, OWNER)
    assert device.shown()["state"] == "handed_out"

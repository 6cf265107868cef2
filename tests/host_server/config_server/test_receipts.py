# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a receipt prove, and what is said of one that does not?"""

import logging
from collections.abc import Callable

import pytest

from host_server.config_server import bundle as form
from host_server.config_server.bundles import CARRIED_LIFE_S
from host_server.config_server.platform_view import PlatformView
from host_server.config_server.sync import CLAIM_LIFE_S
from host_server.errors import Conflict, NotFound, ReceiptRefused, TooManyRequests
from host_server.label import new_label
from host_server.portal.service import rendered, verdict_words
from host_server.store.history import Moment
from tests.host_server.config_server.field import OWNER, Device, Field

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def applied(place: Field, device: Device, outcome: str = "ok") -> str:
    """A bundle is made, carried, and tried: what the device shows."""
    made = place.bundles.make(device.id, OWNER)
    text, _ = place.bundles.hand_out(device.id, OWNER)
    device.configs[made["version"]] = form.opened(device.label, text).config
    if outcome == "ok":
        device.committed = made["version"]
    key = device.label.key("receipt-key")
    return form.receipt(key, made["version"], outcome, form.digest_of(text))


def seen_at_the_platform(place: Field) -> None:
    at = place.clock()
    place.platform.view = PlatformView((Moment("platform", at, "registered", 9, until=at),))


def test_receipt_is_accepted_and_the_nine_steps_are_done(place: Field) -> None:
    device = place.registered()
    receipt = applied(place, device)
    verdict = place.receipts.check(device.id, OWNER, f"{receipt[:4]}-{receipt[4:].lower()}")
    assert (verdict["verdict"], verdict["version"], verdict["repeated"]) == ("accepted", 1, False)
    shown = device.shown()
    assert [step["state"] for step in shown["steps"]] == ["done"] * 9
    assert (shown["state"], shown["version"], shown["claim"]) == ("applied", 1, "proved")
    assert shown["window"]["open"] is False
    assert shown["bundle"]["state"] == "applied"


def test_device_is_registered_as_soon_as_the_platform_has_seen_it(place: Field) -> None:
    device = place.registered()
    place.receipts.check(device.id, OWNER, applied(place, device))
    place.timelines.look(device.id, OWNER)
    assert device.shown()["state"] == "applied"
    place.clock.pass_s(10)
    seen_at_the_platform(place)
    place.timelines.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"
    assert device.shown()["bundle"]["seen_at"] == place.clock()


def test_device_whose_receipt_nobody_enters_is_seen_at_the_platform_all_the_same(
    place: Field,
) -> None:
    device = place.registered()
    applied(place, device)
    seen_at_the_platform(place)
    place.timelines.look(device.id, OWNER)
    shown = device.shown()
    assert (shown["state"], shown["steps"][8]["state"]) == ("registered", "done")
    assert shown["version"] == 0  # which version it runs nobody has proved
    assert shown["claim"] == "proved"
    place.clock.pass_s(CLAIM_LIFE_S + 1)
    place.devices.drop_expired()
    place.chores.run_due()
    assert device.shown()["state"] == "registered"
    originator = device.configs[1]["platform"]["originator"]
    assert len(place.platform.tokens[originator]) == 1


def test_device_that_nobody_asks_about_is_looked_for_before_its_claim_ends(
    place: Field,
) -> None:
    device = place.registered()
    applied(place, device)
    seen_at_the_platform(place)
    place.clock.pass_s(CLAIM_LIFE_S + 1)
    place.devices.drop_expired()
    assert device.shown()["claim"] == "unproved"  # its bundle is in somebody's hands
    place.clock.pass_s(CARRIED_LIFE_S)
    place.timelines.look_at_expired()
    place.devices.drop_expired()
    assert device.shown()["state"] == "registered"


def test_claim_whose_bundle_nobody_applied_ends_a_year_after_it_was_handed_out(
    place: Field,
) -> None:
    device = place.registered()
    applied(place, device)
    place.clock.pass_s(CARRIED_LIFE_S + 1)
    place.timelines.look_at_expired()
    place.devices.drop_expired()
    with pytest.raises(NotFound):
        device.shown()


def while_the_platform_answers(
    place: Field, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]
) -> None:
    def seen(originator: str) -> PlatformView:
        deed()
        return place.platform.view

    seen_at_the_platform(place)
    monkeypatch.setattr(place.platform, "seen", seen)


def test_receipt_that_comes_while_the_platform_is_asked_is_kept(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = place.registered()
    receipt = applied(place, device)
    while_the_platform_answers(
        place, monkeypatch, lambda: place.receipts.check(device.id, OWNER, receipt)
    )
    place.timelines.look(device.id, OWNER)
    bundle = device.shown()["bundle"]
    assert (bundle["outcome"], bundle["receipt_at"]) == ("ok", place.clock())
    assert bundle["seen_at"] == place.clock()


def test_bundle_that_is_made_while_the_platform_is_asked_was_not_seen(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = place.registered()
    applied(place, device)
    while_the_platform_answers(place, monkeypatch, lambda: applied(place, device))
    place.timelines.look(device.id, OWNER)
    assert [b["seen_at"] for b in place.bundles.all_shown(device.id, OWNER)] == [None, None]
    assert device.shown()["state"] == "handed_out"


def test_platform_that_is_down_is_not_asked_each_time(place: Field) -> None:
    device = place.registered()
    applied(place, device)
    place.platform.is_down = True
    place.timelines.look(device.id, OWNER)
    place.platform.is_down = False
    seen_at_the_platform(place)
    place.timelines.look(device.id, OWNER)
    assert device.shown()["state"] == "handed_out"
    place.clock.pass_s(3)
    place.timelines.look(device.id, OWNER)
    assert device.shown()["state"] == "registered"


def test_receipt_retires_the_keys_and_tokens_of_earlier_versions(place: Field) -> None:
    device = place.registered()
    device.onboard()
    token = device.configs[1]["platform"]["token"]
    receipt = applied(place, device)
    originator = device.configs[2]["platform"]["originator"]
    place.chores.run_due()
    assert token in place.platform.tokens[originator].values()
    place.receipts.check(device.id, OWNER, receipt)
    place.chores.run_due()
    kept = device.configs[2]["platform"]["token"]
    assert list(place.platform.tokens[originator].values()) == [kept]


def test_device_that_syncs_later_is_as_if_it_had_onboarded_online(place: Field) -> None:
    device = place.registered()
    applied(place, device)
    first = device.sync("1")
    assert (first["action"], first["retry_s"]) == ("keep", 5)
    assert device.sync("1")["retry_s"] == 3600
    shown = device.shown()
    assert (shown["state"], shown["version"], shown["claim"]) == ("registered", 1, "proved")
    assert shown["bundle"]["state"] == "applied"


def test_receipt_may_be_entered_twice(place: Field) -> None:
    device = place.registered()
    receipt = applied(place, device)
    place.receipts.check(device.id, OWNER, receipt)
    again = place.receipts.check(device.id, OWNER, receipt)
    assert (again["verdict"], again["repeated"]) == ("accepted", True)
    assert "entered before" in verdict_words(again, device.shown())


# told apart


def test_receipt_of_a_failed_application_names_the_outcome(place: Field) -> None:
    device = place.registered()
    verdict = place.receipts.check(device.id, OWNER, applied(place, device, "wifi_auth"))
    assert (verdict["verdict"], verdict["outcome"]) == ("failed", "wifi_auth")
    shown = rendered(device.shown())
    assert (shown["state"], shown["bundle"]["state"]) == ("failed", "failed")
    assert shown["steps"][7]["state"] == "failed"
    assert "password for 'factory' was refused" in shown["steps"][7]["sentence"]
    assert "password for 'factory' was refused" in verdict_words(verdict, device.shown())
    assert shown["claim"] == "unproved"


def test_a_better_bundle_after_a_failure_is_accepted(place: Field) -> None:
    device = place.registered()
    place.receipts.check(device.id, OWNER, applied(place, device, "wifi_auth"))
    place.set_password("another horse")
    place.receipts.check(device.id, OWNER, applied(place, device))
    assert device.shown()["last"] is None


def test_receipt_of_an_older_bundle_is_superseded(place: Field) -> None:
    device = place.registered()
    older = applied(place, device)
    applied(place, device)
    verdict = place.receipts.check(device.id, OWNER, older)
    assert (verdict["verdict"], verdict["version"], verdict["newest_version"]) == (
        "superseded",
        1,
        2,
    )
    assert "older bundle" in verdict_words(verdict, device.shown())
    assert device.shown()["version"] == 0


def test_failure_that_the_device_has_overcome_since_takes_nothing_back(place: Field) -> None:
    device = place.registered()
    failed = applied(place, device, "wifi_no_ap")
    text, _ = place.bundles.hand_out(device.id, OWNER)
    key = device.label.key("receipt-key")
    succeeded = form.receipt(key, 1, "ok", form.digest_of(text))
    assert place.receipts.check(device.id, OWNER, failed)["verdict"] == "failed"
    assert place.receipts.check(device.id, OWNER, succeeded)["verdict"] == "accepted"
    late = place.receipts.check(device.id, OWNER, failed)
    assert late["verdict"] == "superseded"
    assert "applied version 1 since" in verdict_words(late, device.shown())
    assert device.shown()["state"] == "applied"


def test_receipt_after_a_newer_configuration_came_online_is_superseded(place: Field) -> None:
    device = place.registered()
    receipt = applied(place, device)
    device.echo, device.committed = None, 1
    device.sync("1")
    place.set_password("another horse")
    device.confirm(device.sync("1")["config"]["version"])
    assert place.receipts.check(device.id, OWNER, receipt)["verdict"] == "superseded"


def test_receipt_of_another_device_names_it(place: Field) -> None:
    device, other = place.registered(), place.registered()
    applied(place, device)
    receipt = applied(place, other)
    with pytest.raises(ReceiptRefused, match=f"of another device, {other.id}"):
        place.receipts.check(device.id, OWNER, receipt)
    assert other.shown()["state"] == "handed_out"


def test_receipt_of_a_former_label_is_said_so(place: Field) -> None:
    device = place.registered(new_label("PRESS-4"))
    device.onboard()
    receipt = applied(place, device)
    place.devices.release(device.id, OWNER)
    applied(place, place.registered(new_label("PRESS-4")))
    with pytest.raises(ReceiptRefused, match="another label of this device"):
        place.receipts.check(device.id, OWNER, receipt)


def test_one_wrong_character_anywhere_is_refused_and_never_corrected(place: Field) -> None:
    device = place.registered()
    receipt = applied(place, device)
    words = set()
    for at in range(8):
        wrong = BASE32[(BASE32.index(receipt[at]) + 1) % 32]
        with pytest.raises(ReceiptRefused) as refused:
            place.receipts.check(device.id, OWNER, receipt[:at] + wrong + receipt[at + 1 :])
        words.add(str(refused.value))
    assert len(words) == 1  # nothing is said of how near it came
    assert receipt not in words.pop()
    assert place.receipts.check(device.id, OWNER, receipt)["verdict"] == "accepted"


def test_receipt_of_a_bundle_that_another_server_made_is_refused(place: Field) -> None:
    device = place.registered()
    applied(place, device)
    text = form.sealed(device.label, 1795400000, None, device.configs[1])
    strange = form.receipt(device.label.key("receipt-key"), 1, "ok", form.digest_of(text))
    with pytest.raises(ReceiptRefused, match="made for it by this portal"):
        place.receipts.check(device.id, OWNER, strange)


def test_device_without_a_bundle_has_no_receipt(place: Field) -> None:
    device = place.registered()
    with pytest.raises(Conflict, match="no bundle was made"):
        place.receipts.check(device.id, OWNER, "AAAAAAAA")


def test_tries_are_limited_by_device(place: Field) -> None:
    device, other = place.registered(), place.registered()
    receipt, of_other = applied(place, device), applied(place, other)
    for _ in range(10):
        with pytest.raises(ReceiptRefused):
            place.receipts.check(device.id, OWNER, "AAAAAAAA")
    with pytest.raises(TooManyRequests) as limited:
        place.receipts.check(device.id, OWNER, receipt)
    assert limited.value.retry_s == 60
    assert place.receipts.check(other.id, OWNER, of_other)["verdict"] == "accepted"
    place.clock.pass_s(60)
    assert place.receipts.check(device.id, OWNER, receipt)["verdict"] == "accepted"


def test_receipts_are_audited_and_what_was_typed_is_not_logged(
    place: Field, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    device = place.registered()
    receipt = applied(place, device)
    wrong = receipt[:-1] + ("A" if receipt[-1] != "A" else "B")
    with pytest.raises(ReceiptRefused):
        place.receipts.check(device.id, OWNER, wrong)
    place.receipts.check(device.id, OWNER, receipt)
    told = [m.what for m in place.history_of(device) if m.source == "portal"]
    assert told[-2:] == ["receipt_refused", "receipt_accepted"]
    assert f"{device.id}: a receipt was accepted, version 1, for admin" in caplog.messages
    everything = caplog.text + str(place.history_of(device)) + str(device.shown())
    assert receipt not in everything
    assert wrong not in everything


@pytest.mark.parametrize("enter", [str.lower, lambda text: f"{text[:4]} {text[4:]}"])
def test_receipt_is_read_as_people_type_it(place: Field, enter: Callable[[str], str]) -> None:
    device = place.registered()
    receipt = enter(applied(place, device))
    assert place.receipts.check(device.id, OWNER, receipt)["verdict"] == "accepted"

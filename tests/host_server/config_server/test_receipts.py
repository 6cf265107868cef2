# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a receipt prove, and what is said of one that does not?"""

import logging
from collections.abc import Callable

import pytest

from muster_server.config_server import bundle as form
from muster_server.errors import Conflict, ReceiptRefused, TooManyRequests
from muster_server.label import new_label
from muster_server.portal.service import rendered, verdict_words
from tests.host_server.config_server.field import OWNER, Field

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def test_receipt_is_accepted_and_the_nine_steps_are_done(place: Field) -> None:
    device = place.registered()
    receipt = device.apply_bundle()
    verdict = place.receipts.check(device.id, OWNER, f"{receipt[:4]}-{receipt[4:].lower()}")
    assert (verdict["verdict"], verdict["version"], verdict["repeated"]) == ("accepted", 1, False)
    shown = device.shown()
    assert [step["state"] for step in shown["steps"]] == ["done"] * 9
    assert (shown["state"], shown["version"], shown["claim"]) == ("applied", 1, "proved")
    assert shown["window"]["open"] is False
    assert shown["bundle"]["state"] == "applied"


def test_receipt_retires_the_keys_and_tokens_of_earlier_versions(place: Field) -> None:
    device = place.registered()
    device.onboard()
    token = device.configs[1]["platform"]["token"]
    receipt = device.apply_bundle()
    originator = device.configs[2]["platform"]["originator"]
    place.jobs.run_due()
    assert token in place.platform.tokens[originator].values()
    place.receipts.check(device.id, OWNER, receipt)
    place.jobs.run_due()
    kept = device.configs[2]["platform"]["token"]
    assert list(place.platform.tokens[originator].values()) == [kept]


def test_device_that_syncs_later_is_as_if_it_had_onboarded_online(place: Field) -> None:
    device = place.registered()
    device.apply_bundle()
    first = device.sync("1")
    assert (first["action"], first["retry_s"]) == ("keep", 5)
    assert device.sync("1")["retry_s"] == 3600
    shown = device.shown()
    assert (shown["state"], shown["version"], shown["claim"]) == ("registered", 1, "proved")
    assert shown["bundle"]["state"] == "applied"


def test_receipt_may_be_entered_twice(place: Field) -> None:
    device = place.registered()
    receipt = device.apply_bundle()
    place.receipts.check(device.id, OWNER, receipt)
    again = place.receipts.check(device.id, OWNER, receipt)
    assert (again["verdict"], again["repeated"]) == ("accepted", True)
    assert "entered before" in verdict_words(again, device.shown())


# told apart


def test_receipt_of_a_failed_application_names_the_outcome(place: Field) -> None:
    device = place.registered()
    verdict = place.receipts.check(device.id, OWNER, device.apply_bundle("wifi_auth"))
    assert (verdict["verdict"], verdict["outcome"]) == ("failed", "wifi_auth")
    shown = rendered(device.shown())
    assert (shown["state"], shown["bundle"]["state"]) == ("failed", "failed")
    assert shown["steps"][7]["state"] == "failed"
    assert "password for 'factory' was refused" in shown["steps"][7]["sentence"]
    assert "password for 'factory' was refused" in verdict_words(verdict, device.shown())
    assert shown["claim"] == "unproved"


def test_a_better_bundle_after_a_failure_is_accepted(place: Field) -> None:
    device = place.registered()
    place.receipts.check(device.id, OWNER, device.apply_bundle("wifi_auth"))
    place.set_password("another horse")
    place.receipts.check(device.id, OWNER, device.apply_bundle())
    assert device.shown()["last"] is None


def test_receipt_of_an_older_bundle_is_superseded(place: Field) -> None:
    device = place.registered()
    older = device.apply_bundle()
    device.apply_bundle()
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
    failed = device.apply_bundle("wifi_no_ap")
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
    receipt = device.apply_bundle()
    device.echo, device.committed = None, 1
    device.sync("1")
    place.set_password("another horse")
    device.confirm(device.sync("1")["config"]["version"])
    assert place.receipts.check(device.id, OWNER, receipt)["verdict"] == "superseded"


def test_receipt_of_another_device_names_it(place: Field) -> None:
    device, other = place.registered(), place.registered()
    device.apply_bundle()
    receipt = other.apply_bundle()
    with pytest.raises(ReceiptRefused, match=f"of another device, {other.id}"):
        place.receipts.check(device.id, OWNER, receipt)
    assert other.shown()["state"] == "handed_out"


def test_receipt_of_a_former_label_is_said_so(place: Field) -> None:
    device = place.registered(new_label("PRESS-4"))
    device.onboard()
    receipt = device.apply_bundle()
    place.devices.release(device.id, OWNER)
    place.registered(new_label("PRESS-4")).apply_bundle()
    with pytest.raises(ReceiptRefused, match="another label of this device"):
        place.receipts.check(device.id, OWNER, receipt)


def test_one_wrong_character_anywhere_is_refused_and_never_corrected(place: Field) -> None:
    device = place.registered()
    receipt = device.apply_bundle()
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
    device.apply_bundle()
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
    receipt, of_other = device.apply_bundle(), other.apply_bundle()
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
    receipt = device.apply_bundle()
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
    receipt = enter(device.apply_bundle())
    assert place.receipts.check(device.id, OWNER, receipt)["verdict"] == "accepted"

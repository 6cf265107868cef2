# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a sync promise to devices and to their owners?"""

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from muster_server.errors import Malformed, NotRecognised, TooManyRequests
from muster_server.label import new_label
from tests.host_server.config_server.field import OWNER, Device, Field
from tests.wire.syncs import BLANK

LABEL = new_label("PRESS-4")
FAILED = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "'factory' refused us"}


def test_registered_device_gets_its_configuration_and_is_registered_after_it_confirms(
    place: Field,
) -> None:
    device = place.registered()
    assert device.shown()["state"] == "prepared"
    directive = device.sync()
    assert (directive["action"], directive["config"]["version"]) == ("configure", 1)
    assert device.shown()["state"] == "handed_out"
    assert device.confirm(1)["action"] == "keep"
    shown = device.shown()
    assert (shown["state"], shown["claim"], shown["version"]) == ("registered", "proved", 1)
    assert [step["state"] for step in shown["steps"]] == ["done"] * 9
    assert shown["window"]["open"] is False


def test_handing_out_is_idempotent(place: Field) -> None:
    device = place.registered()
    first, second = device.sync(), device.sync(echo=None)
    assert first["config"] == second["config"]
    assert len(place.platform.tokens[device.shown()["account"]["originator"]]) == 1


def test_device_that_keeps_syncing_is_told_to_keep(place: Field) -> None:
    device = place.registered()
    version = device.onboard()
    directive = device.sync(str(version))
    assert (directive["action"], directive["retry_s"]) == ("keep", 3600)


# who is not recognised


@pytest.mark.parametrize("device_id", ["../etc", "a b", "A" * 200, "é"])
def test_id_that_cannot_be_one_is_not_recognised(place: Field, device_id: str) -> None:
    with pytest.raises(NotRecognised):
        place.sync.answer(device_id, "label", bytes(100), "127.0.0.1")


@pytest.mark.parametrize("position", [0, 33, -1])
def test_tampered_message_is_not_recognised_and_changes_nothing(
    place: Field, position: int
) -> None:
    device = place.registered()
    before = device.shown()
    message = bytearray(device.sealed("label", BLANK)[1])
    message[position] ^= 1
    with pytest.raises(NotRecognised):
        place.sync.answer(device.id, "label", bytes(message), "127.0.0.1")
    assert device.shown() == before


def test_truncated_message_is_not_recognised(place: Field) -> None:
    device = place.registered()
    message = device.sealed("label", BLANK)[1]
    with pytest.raises(NotRecognised):
        place.sync.answer(device.id, "label", message[:-1], "127.0.0.1")


def test_message_too_short_to_be_one_is_malformed(place: Field) -> None:
    with pytest.raises(Malformed, match="at least 48 bytes, got 47"):
        place.sync.answer("A", "label", bytes(47), "127.0.0.1")


@pytest.mark.parametrize("k", ["", "0", "07", "-1", "Label", "1" * 17, "١"])
def test_k_that_is_neither_label_nor_version_is_malformed(place: Field, k: str) -> None:
    with pytest.raises(Malformed, match="k=label"):
        place.sync.answer("A", k, bytes(48), "127.0.0.1")


@pytest.mark.parametrize(
    "payload", [b"", b"hello", b"[]", json.dumps(BLANK | {"v": "1"}).encode()]
)
def test_report_that_cannot_be_read_is_malformed_and_changes_nothing(
    place: Field, payload: bytes
) -> None:
    device = place.registered()
    before = device.shown()
    message = device.sealed("label", payload)[1]
    with pytest.raises(Malformed):
        place.sync.answer(device.id, "label", message, "127.0.0.1")
    assert device.shown() == before


# replays


def test_replayed_first_report_changes_nothing(place: Field) -> None:
    device = place.registered()
    device.sync()
    before = device.shown()
    place.clock.pass_s(60)
    place.sync.answer(device.id, "label", device.last_message, "127.0.0.1")
    assert device.shown() == before


def test_replayed_first_report_does_not_start_a_new_roll_out(place: Field) -> None:
    device = place.registered()
    device.sync()
    recorded = device.last_message
    device.confirm(1)
    place.devices.open_window(device.id, OWNER)
    before = device.shown()
    place.sync.answer(device.id, "label", recorded, "127.0.0.1")
    assert device.shown() == before


def test_replayed_confirmation_does_not_prove_and_does_not_push_the_echo_out(place: Field) -> None:
    device = place.registered()
    version = device.onboard()
    recorded = device.last_message
    place.devices.open_window(device.id, OWNER)
    before = device.shown()
    for _ in range(3):
        place.sync.answer(device.id, str(version), recorded, "127.0.0.1")
    assert device.shown() == before
    device.sync(str(version), last=FAILED | {"config": 2}, heap=[[7, 0], [0, 0]])
    assert device.shown()["device"]["heap"][0][0] == 7  # its echo still proves


def test_replayed_failure_report_does_not_turn_success_into_failure(place: Field) -> None:
    device = place.registered()
    device.sync()
    device.sync(last=FAILED, timeline=[[8, "wifi_auth", 15000]])
    recorded = device.last_message
    device.confirm(1)
    place.sync.answer(device.id, "label", recorded, "127.0.0.1")
    assert device.shown()["state"] == "registered"


def test_replays_are_slowed_down_and_lock_nobody_out(place: Field) -> None:
    device = place.registered()
    version = device.onboard()
    recorded = device.last_message
    refused = 0
    for n in range(60):  # 3 a second, from the device's own address
        place.clock.pass_s(1 / 3)
        try:
            place.sync.answer(device.id, str(version), recorded, "127.0.0.1")
        except TooManyRequests as error:
            refused += 1
            assert error.retry_s
        if n % 3 == 0:
            assert device.sync(str(version))["action"] == "keep"
    assert 45 < refused < 60


def test_message_that_is_no_report_takes_nothing_from_the_devices_share(place: Field) -> None:
    device = place.registered()
    message = device.sealed("label", b"hello")[1]
    for _ in range(30):
        with pytest.raises(Malformed):
            place.sync.answer(device.id, "label", message, "127.0.0.1")
    assert device.sync()["action"] == "configure"


def test_nobody_takes_a_devices_share_from_another_address(place: Field) -> None:
    stranger = Device(place, new_label())  # known to its vendor only: replays are not remembered
    place.devices.register_for_vendor([stranger.label.qr_text])
    stranger.sync()
    with pytest.raises(TooManyRequests):
        for _ in range(21):
            place.sync.answer(stranger.id, "label", stranger.last_message, "127.0.0.2")
    assert stranger.sync()["action"] == "wait"


def test_device_that_asks_without_end_is_slowed_down(place: Field) -> None:
    device = place.registered()
    with pytest.raises(TooManyRequests):
        for _ in range(21):
            device.sync()
    place.clock.pass_s(1)
    assert device.sync()["action"] == "configure"


# failure and recovery


def test_failed_device_names_its_step_and_succeeds_once_the_profile_is_right(place: Field) -> None:
    device = place.registered()
    device.sync()
    again = device.sync(last=FAILED, timeline=[[7, "ok", 5], [8, "wifi_auth", 15000]])
    shown = device.shown()
    assert again["config"]["version"] == 1  # the same: the device backs off by itself
    assert (shown["state"], shown["last"]["code"]) == ("failed", "wifi_auth")
    assert (shown["steps"][7]["state"], shown["steps"][7]["ms"]) == ("failed", 15000)

    place.set_password("better horse")
    corrected = device.sync(last=FAILED)
    assert corrected["config"]["version"] == 2
    assert corrected["config"]["networks"][0]["psk"] == "better horse"
    assert device.shown()["state"] == "handed_out"
    device.confirm(2)
    assert device.shown()["state"] == "registered"
    assert device.shown()["last"] is None


def test_changed_profile_reaches_a_committed_device_and_old_keys_die_when_it_is_proved(
    place: Field,
) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("better horse")
    originator = device.shown()["account"]["originator"]
    assert device.sync("1")["config"]["version"] == 2
    assert len(place.platform.tokens[originator]) == 2
    device.sync("1")  # the old key is still good: the new version may fail
    device.confirm(2)
    place.jobs.run_due()
    assert list(place.platform.tokens[originator].values()) == [
        device.configs[2]["platform"]["token"]
    ]
    with pytest.raises(NotRecognised):
        device.sync("1")


def test_failure_is_history_when_the_profile_goes_back_to_what_the_device_runs(
    place: Field,
) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("wrong horse")
    device.sync("1")
    device.sync("1", last=FAILED | {"config": 2})
    assert device.shown()["state"] == "failed"
    place.set_password("correct horse")
    assert device.sync("1", last=FAILED | {"config": 2})["action"] == "keep"
    assert (device.shown()["state"], device.shown()["last"]) == ("registered", None)
    assert {step["state"] for step in device.shown()["steps"]} == {"done"}


def test_device_that_lost_its_directive_to_a_power_cut_soon_shows_that_it_is_well(
    place: Field,
) -> None:
    device = place.registered()
    device.onboard()
    kept = device.echo  # what its flash holds
    place.set_password("wrong horse")
    assert device.sync("1")["action"] == "configure"
    place.set_password("correct horse")
    again = device.sync("1", echo=kept)
    assert (again["action"], again["retry_s"]) == ("keep", 5)
    assert device.shown()["state"] == "handed_out"
    assert device.sync("1")["retry_s"] == 3600
    assert device.shown()["state"] == "registered"


def test_revocation_that_comes_late_spares_the_token_of_a_version_on_its_way(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("better horse")
    device.sync("1")
    device.confirm(2)
    place.set_password("best horse")
    newest = device.sync("2")["config"]["platform"]
    place.jobs.run_due()
    left = place.platform.tokens[newest["originator"]]
    assert set(left.values()) == {
        device.configs[2]["platform"]["token"],
        newest["token"],
    }


def test_unproved_report_under_an_operational_key_starts_no_roll_out(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("better horse")
    assert device.sync("1", echo="not the newest")["action"] == "keep"
    assert device.shown()["issued_version"] == 1
    assert device.sync("1")["action"] == "configure"


def test_trial_is_let_finish_when_the_profile_changes_meanwhile(place: Field) -> None:
    device = place.registered()
    device.sync()
    place.set_password("better horse")
    directive = device.confirm(1)
    assert directive["action"] == "keep"
    assert directive["retry_s"] <= 5
    assert device.sync("1")["config"]["version"] == 2


def test_lost_confirmation_reply_is_made_good_by_the_next_sync(place: Field) -> None:
    device = place.registered()
    device.sync()
    handed_out_with = device.echo
    device.confirm(1)
    device.echo = handed_out_with  # the reply was lost
    assert device.sync("1")["action"] == "keep"
    device.sync("1", heap=[[5, 0], [0, 0]])
    assert device.shown()["device"]["heap"][0][0] == 5


def test_version_that_a_device_reports_is_exceeded_even_if_the_server_forgot_it(
    place: Field,
) -> None:
    device = place.registered()  # a restored or new server: it never issued version 41
    directive = device.sync(config=41, state="committed")
    assert directive["config"]["version"] == 42
    device.confirm(42)
    assert device.shown()["version"] == 42


def test_operational_key_that_a_restored_server_forgot_is_not_recognised(place: Field) -> None:
    device = place.registered()
    device.configs[9] = {"config_server": {"key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}
    with pytest.raises(NotRecognised):
        device.sync("9")


def test_platform_that_is_down_makes_the_device_wait_and_succeeds_later(place: Field) -> None:
    place.platform.is_down = True
    device = place.registered()
    assert device.shown()["steps"][1]["code"] == "platform_unreachable"
    assert device.sync()["action"] == "wait"
    assert device.shown()["last"]["code"] == "platform_unreachable"
    place.platform.is_down = False
    assert device.sync()["action"] == "configure"
    device.confirm(1)
    assert device.shown()["state"] == "registered"


# whatever comes


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(strategies.binary(max_size=300), strategies.text(max_size=40), strategies.text(max_size=8))
def test_any_bytes_from_anybody_are_refused_in_words(
    place: Field, message: bytes, device_id: str, k: str
) -> None:
    place.clock.pass_s(1)
    with pytest.raises((NotRecognised, Malformed)):
        place.sync.answer(device_id, k, message, "127.0.0.1")


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=8,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(strategies.sampled_from(sorted(BLANK)), JSON)
def test_any_value_in_any_field_is_understood_or_refused_in_words(
    place: Field, name: str, value: object
) -> None:
    place.clock.pass_s(1)
    device = place.registered(LABEL)
    payload = json.dumps(BLANK | {name: value}).encode()
    message = device.sealed("label", payload)[1]
    try:
        place.sync.answer(device.id, "label", message, "127.0.0.1")
    except Malformed as error:
        assert (error.path or "").startswith(name)

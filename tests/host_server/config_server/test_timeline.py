# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the flight recorder promise?"""

from typing import Any

import pytest

from muster_server.config_server.device_timeline import overlap
from muster_server.config_server.platform_view import PlatformView, parse_view
from muster_server.config_server.timeline import first_cause
from muster_server.errors import NotRecognised, ServiceUnreachable
from muster_server.store.config import ConfigStore
from muster_server.store.history import KEPT, STRANGERS_KEPT, Moment
from muster_server.store.secrets import SecretBox
from muster_server.wording import rendered
from tests.host_server.config_server.field import OWNER, Device, Field
from tests.wire.syncs import BLANK

SEEK = [[3, "ok", 212], [4, "ok", 640]]
FAILED = [*SEEK, [5, "ok", 90], [6, "ok", 60], [7, "ok", 100], [8, "wifi_auth", 9000]]
LAST = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "factory: status 202"}


def joined(place: Field, device: Device) -> dict[str, Any]:
    return rendered(place.timelines.joined(device.id, OWNER), ["factory"], "http://p.example")


def failed_once(place: Field) -> Device:
    """A device whose first trial failed, and which told so."""
    device = place.registered()
    place.clock.pass_s(60)
    device.sync(timeline=SEEK)
    place.clock.pass_s(20)
    device.sync(timeline=[*FAILED, *SEEK], last=LAST)
    return device


def test_everybodys_part_is_in_one_table_in_the_order_of_time(place: Field) -> None:
    device = failed_once(place)
    at = place.clock()
    place.platform.view = PlatformView((Moment("platform", at - 100, "account_made", 9),))
    entries = joined(place, device)["entries"]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    assert {e["source"] for e in entries} == {"portal", "config", "device", "platform"}
    said = [(e["source"], e["what"], e["step"]) for e in entries]
    assert said[0] == ("platform", "account_made", 9)
    assert said[1:3] == [("portal", "claimed", 1), ("config", "prepared", 2)]
    assert ("config", "handed_out", 6) in said


def test_devices_entries_are_told_once_and_reckoned_back(place: Field) -> None:
    device = failed_once(place)
    own = [e for e in joined(place, device)["entries"] if e["source"] == "device"]
    assert [[e["step"], e["code"], e["ms"]] for e in own] == [*FAILED, *SEEK]
    wifi = own[5]
    assert wifi["detail"] == LAST["detail"]
    assert wifi["at"] == pytest.approx(place.clock() - 0.852)


def test_first_cause_is_marked_with_what_to_do(place: Field) -> None:
    timeline = joined(place, failed_once(place))
    (marked,) = [e for e in timeline["entries"] if e["is_first_cause"]]
    assert (marked["source"], marked["step"], marked["code"]) == ("device", 8, "wifi_auth")
    assert "password for 'factory' was refused" in timeline["first_cause"]["sentence"]


def test_cause_that_was_overcome_is_said_so(place: Field) -> None:
    device = failed_once(place)
    assert joined(place, device)["first_cause"]["is_overcome"] is False
    place.set_password("another horse")
    device.confirm(device.sync()["config"]["version"])
    cause = joined(place, device)["first_cause"]
    assert (cause["code"], cause["is_overcome"]) == ("wifi_auth", True)


def test_cause_that_ended_the_devices_own_timeline_is_there_too(place: Field) -> None:
    device = place.registered()
    device.sync(timeline=SEEK)
    last = LAST | {"code": "power_lost", "detail": "restarted"}
    device.sync(timeline=SEEK, last=last)
    device.sync(timeline=SEEK, last=last)
    codes = [e["code"] for e in joined(place, device)["entries"] if e["source"] == "device"]
    assert codes == ["ok", "ok", "power_lost"]


def test_onboarding_without_a_failure_has_no_cause(place: Field) -> None:
    device = place.registered()
    device.onboard()
    timeline = joined(place, device)
    assert timeline["first_cause"] is None
    whats = [e["what"] for e in timeline["entries"] if e["source"] != "device"]
    assert whats == [
        "claimed",
        "prepared",
        "reported",
        "handed_out",
        "reported",
        "claim_proved",
        "proved",
    ]


def test_refused_attempts_are_counted_and_are_the_cause_only_of_last_resort(place: Field) -> None:
    device = failed_once(place)
    for _ in range(5):
        with pytest.raises(NotRecognised):
            place.sync.answer(device.id, "label", bytes(48), "10.0.0.9")
    timeline = joined(place, device)
    (refused,) = [e for e in timeline["entries"] if e["what"] == "refused"]
    assert (refused["times"], refused["detail"]) == (5, "k=label from 10.0.0.9")
    assert timeline["first_cause"]["code"] == "wifi_auth"


def test_attempts_under_unknown_ids_are_nowhere(place: Field) -> None:
    for n in range(600):
        place.sync.refusals.note(f"NOBODY-{n}", "label", "10.0.0.9", place.clock())
    place.sync.refusals.write_down()
    device = place.registered()
    assert all(e["what"] != "refused" for e in joined(place, device)["entries"])


def test_attempts_under_what_cannot_be_an_id_are_not_kept(place: Field) -> None:
    for device_id in ("A" * 10_000, "../etc", ""):
        place.sync.refusals.note(device_id, "label", "10.0.0.9", place.clock())
    assert place.sync.refusals._moments == {}


def refuse(place: Field, device: Device, address: str = "10.0.0.9") -> None:
    place.sync.refusals.note(device.id, "label", address, place.clock())


def test_strangers_push_nothing_out(place: Field) -> None:
    device = place.registered()
    device.onboard()
    others = [m for m in place.history_of(device) if m.what != "refused"]
    for n in range(KEPT + 50):
        refuse(place, device, f"10.0.{n // 256}.{n % 256}")
        place.sync.refusals.write_down()
    kept = place.history_of(device)
    assert [m for m in kept if m.what != "refused"] == others
    assert len(kept) == len(others) + STRANGERS_KEPT
    assert kept[-1].detail == "k=label from 10.0.1.49"


def syncs_from(place: Field, device: Device, n: int, **changes: Any) -> None:
    """With the label's key, from the n-th address."""
    place.clock.pass_s(1)
    message = device.sealed("label", BLANK | {"heap": [[n, 0], [0, 0]]} | changes)[1]
    place.sync.answer(device.id, "label", message, f"10.0.{n // 256}.{n % 256}")


def test_who_had_the_device_pushes_nothing_out_while_the_window_is_closed(place: Field) -> None:
    device = place.registered()
    device.onboard()
    before, shown = place.history_of(device), device.shown()
    for n in range(KEPT + 50):
        syncs_from(place, device, n, timeline=[[3, "ok", n], [4, "wifi_auth", n]], last=LAST)
    kept = place.history_of(device)
    assert [m for m in kept if m.what != "window_closed"] == before
    assert len(kept) == len(before) + STRANGERS_KEPT
    assert kept[-1].detail == "from 10.0.1.49, chip 246f28aabbcc"
    told = device.shown()
    assert told["waiting_for"]["what"] == "open_after_reset"
    assert told["label_used"]["address"] == "10.0.1.49"
    # It is told, and changes nothing else.
    ignored = dict.fromkeys(("events", "waiting_for", "label_used"))
    doubted = ignored | {"runs": shown["runs"] | {"is_certain": False}}
    assert told | ignored == shown | doubted


def test_who_had_the_device_takes_it_no_proof_while_the_window_is_closed(place: Field) -> None:
    device = place.registered()
    device.onboard()
    for n in range(3):
        syncs_from(place, device, n, echo=device.echo)
    place.clock.pass_s(3600)
    device.sync("1", heap=[[7, 0], [0, 0]])
    assert device.shown()["device"]["heap"][0][0] == 7


def test_labels_use_between_hourly_reports_parts_them_not(place: Field) -> None:
    device = place.registered()
    device.onboard()
    for n in range(3):
        place.clock.pass_s(3600)
        device.sync("1")
        syncs_from(place, device, 9, heap=[[n, 0], [0, 0]])
    assert [(m.what, m.times) for m in place.history_of(device) if m.times > 1] == [
        ("reported", 3),
        ("window_closed", 3),
    ]


def test_refusals_between_hourly_reports_part_them_not(place: Field) -> None:
    device = place.registered()
    device.onboard()
    for _ in range(3):
        place.clock.pass_s(3600)
        device.sync("1")
        refuse(place, device)
        place.sync.refusals.write_down()
    assert [(m.what, m.times) for m in place.history_of(device) if m.times > 1] == [
        ("reported", 3),
        ("refused", 3),
    ]


def test_refusals_that_could_not_be_written_down_are_kept(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = place.registered()
    refuse(place, device)
    began = place.clock()

    def broken() -> None:
        place.clock.pass_s(5)
        refuse(place, device)
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(place.store, "transaction", broken)
        with pytest.raises(OSError, match="disk is full"):
            place.sync.refusals.write_down()
    place.sync.refusals.write_down()
    (refused,) = [m for m in place.history_of(device) if m.what == "refused"]
    assert (refused.at, refused.until, refused.times) == (began, place.clock(), 2)


def test_refusals_are_not_told_to_who_released_the_device(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.release(device.id, OWNER)
    refuse(place, device)
    place.sync.refusals.write_down()
    assert all(m.what != "refused" for m in place.history_of(device))


def test_it_survives_restarts_and_is_bounded(place: Field) -> None:
    device = place.registered()
    for n in range(KEPT + 50):
        moment = Moment("config", place.clock(), "reported", detail=str(n))
        with place.store.transaction() as records:
            records.history.note(device.id, OWNER, moment)
    with ConfigStore(place.engine, SecretBox(bytes(32))).transaction() as records:
        kept = records.history.of(device.id, OWNER)
    assert len(kept) == KEPT
    assert kept[-1].detail == str(KEPT + 49)


def test_what_repeats_itself_takes_no_space(place: Field) -> None:
    device = place.registered()
    device.onboard()
    for _ in range(30):
        place.clock.pass_s(3600)
        device.sync("1")
    (hourly,) = [m for m in place.history_of(device) if m.times > 1]
    assert (hourly.what, hourly.times, hourly.until) == ("reported", 30, place.clock())


def test_platform_that_is_down_leaves_its_part_out_and_says_so(place: Field) -> None:
    device = place.registered()
    place.platform.is_down = True
    timeline = joined(place, device)
    assert timeline["platform"] is False
    assert timeline["entries"] != []


def test_timeline_that_an_offline_device_left_at_the_platform_is_used(place: Field) -> None:
    device = place.registered()
    entries = ((7, "ok", 10), (8, "ok", 900), (9, "ok", 80))
    place.platform.view = PlatformView((), entries, place.clock())
    for _ in range(2):
        place.clock.pass_s(5)
        own = [e for e in joined(place, device)["entries"] if e["source"] == "device"]
        assert [e["step"] for e in own] == [7, 8, 9]


def test_replayed_report_tells_nothing(place: Field) -> None:
    device = place.registered()
    device.onboard()
    device.sync("1", timeline=SEEK)
    before = place.history_of(device)
    for _ in range(3):
        place.sync.answer(device.id, "1", device.last_message, "127.0.0.1")
    assert place.history_of(device) == before


@pytest.mark.parametrize(
    ("earlier", "timeline", "known"),
    [
        ("", "ABC", 0),
        ("ABC", "ABC", 3),
        ("ABC", "ABCDE", 3),
        ("ABCDE", "CDEF", 3),  # the device has dropped its oldest
        ("ABCD", "ABE", 2),  # and a retry that it has done again
        ("ABCDEF", "ABEFG", 4),  # which is told before the next one
        ("ABAB", "ABABC", 4),
        ("ABC", "XYZ", 0),  # restarted
    ],
)
def test_what_is_known_already_is_found(earlier: str, timeline: str, known: int) -> None:
    def entries(text: str) -> list[tuple[int, str, int]]:
        return [(3, letter, ord(letter)) for letter in text]

    assert overlap(entries(earlier), tuple(entries(timeline))) == known


def test_cause_of_the_last_failure_is_looked_for_after_the_success_before_it() -> None:
    def moment(what: str, code: str = "ok") -> Moment:
        return Moment("config", 0.0, what, code=code)

    bad, good = moment("step", "wifi_auth"), moment("proved")
    assert first_cause([good, moment("reported")]) is None
    assert first_cause([bad, good, moment("reported"), bad, bad]) == 3
    assert first_cause([moment("reported"), bad, bad, good]) == 1


@pytest.mark.parametrize("deed", ["describe", "revoke_token", "close_account"])
def test_deed_that_was_put_off_is_no_cause(deed: str) -> None:
    put_off = Moment("config", 0.0, f"{deed}_put_off", code="platform_unreachable")
    failed = Moment("device", 1.0, "step", 8, "wifi_auth")
    assert first_cause([put_off]) is None
    assert first_cause([put_off, failed, put_off]) == 1


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"{}", b'{"seen":[{"at":"now"}],"timeline":null}', b'{"seen":[],"timeline":5}'],
)
def test_platform_that_answers_nonsense_is_away(answer: bytes) -> None:
    with pytest.raises(ServiceUnreachable, match="not one"):
        parse_view(answer)


def test_timeline_that_a_device_garbled_is_as_if_it_were_not_there() -> None:
    answer = b'{"seen":[],"timeline":{"ct":"20261123T075904,012551","con":"garbage"}}'
    assert parse_view(answer) == PlatformView()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do claims promise to owners, and to those who are not?"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.errors import Conflict, LabelRefused, NotFound, NotRecognised, Released
from muster_server.label import new_label
from muster_server.store.claims import CLAIM_LIFE_S, with_step
from muster_server.store.config import ConfigStore
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import (
    OWNER,
    PLATFORM_URL,
    PROFILE,
    Device,
    Field,
    all_rows,
    open_field,
)


def test_registering_prepares_the_first_version_and_the_account(place: Field) -> None:
    shown = place.registered().shown()
    assert (shown["state"], shown["claim"], shown["issued_version"]) == ("prepared", "unproved", 1)
    assert [step["state"] for step in shown["steps"][:3]] == ["done", "done", "pending"]
    originator = shown["account"]["originator"]
    assert originator.startswith("C")
    assert len(originator) >= 1 + 80 / 4
    assert list(place.platform.tokens) == [originator]


def test_answer_to_a_claim_is_what_is_shown_of_it(place: Field) -> None:
    label = new_label("PRESS-4")
    answer = place.devices.register(label.qr_text, "press", "one", OWNER)
    assert answer == place.devices.shown("PRESS-4", OWNER)
    place.devices.change("PRESS-4", OWNER, None, None, "hall 3", ["old", "spare"])
    again = place.devices.register(label.qr_text, "press", "two", OWNER)
    assert again == place.devices.shown("PRESS-4", OWNER)
    assert (again["group"], again["tags"], again["name"]) == ("hall 3", ["old", "spare"], "two")
    place.profiles.replace("press", PROFILE | {"reonboarding": "always"})
    other = place.devices.register(new_label("PRESS-4").qr_text, "press", "three", OWNER)
    assert other == place.devices.shown("PRESS-4", OWNER)


def test_answer_to_a_claim_shows_the_label_that_a_device_has_answered_to(place: Field) -> None:
    first = Device(place, new_label("PRESS-4"))
    place.devices.register(first.label.qr_text, "press", "one", OWNER)
    first.sync()
    answer = place.devices.register(new_label("PRESS-4").qr_text, "press", "two", OWNER)
    assert answer["name"] == "one"
    assert answer == first.shown()


def test_claim_is_two_transactions_around_the_call_to_the_platform(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def counted(name: str, begin: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*about: object) -> Any:
            begun.append(name)
            return begin(*about)

        return counting

    for name in ("transaction", "reading"):
        monkeypatch.setattr(place.store, name, counted(name, getattr(place.store, name)))
    place.platform.meanwhile = lambda: begun.append("the platform")
    place.devices.register(new_label().qr_text, "press", "press 4", OWNER)
    assert begun == ["transaction", "the platform", "transaction"]


def test_what_comes_between_the_parts_of_a_claim_stays(place: Field) -> None:
    label = new_label("PRESS-4")

    def heard() -> None:
        with place.store.transaction() as records:
            (claim,) = records.claims_of("PRESS-4")
            claim = with_step(claim, 3, "done", "ok", None, place.clock())
            records.put_claim(replace(claim, name="renamed", highest=7, seen_at=place.clock()))

    place.platform.meanwhile = heard
    answer = place.devices.register(label.qr_text, "press", "press 4", OWNER)
    assert answer == place.devices.shown("PRESS-4", OWNER)
    assert [step["state"] for step in answer["steps"][:4]] == ["done", "done", "done", "pending"]
    assert (answer["name"], answer["issued_version"]) == ("renamed", 1)
    with place.store.reading() as records:
        (claim,) = records.claims_of("PRESS-4")
    assert (claim.highest, claim.asked) == (7, None)


def test_claim_that_is_released_while_it_is_prepared_leaves_no_account(place: Field) -> None:
    label = new_label("PRESS-4")

    def release() -> None:
        made = place.platform.tokens.copy()
        place.devices.release("PRESS-4", OWNER)
        place.jobs.run_due()
        place.platform.tokens = made

    place.platform.meanwhile = release
    with pytest.raises(Released):
        place.devices.register(label.qr_text, "press", "press 4", OWNER)
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_profile_that_another_process_changes_is_used_as_it_is_now(
    empty_database: Callable[[str], str],
) -> None:
    with open_field(empty_database("config")) as place:
        other = Field(engine=place.engine, store=ConfigStore(place.engine, SecretBox(bytes(32))))
        place.registered()
        other.set_password("better horse")
        device = place.registered()
        assert device.sync()["config"]["networks"][0]["psk"] == "better horse"


def test_registering_again_changes_the_name_and_keeps_the_claim(place: Field) -> None:
    label = new_label()
    first = place.devices.register(label.qr_text, "press", "one", OWNER)
    second = place.devices.register(label.qr_text, "press", "two", OWNER)
    assert second["name"] == "two"
    assert second["account"] == first["account"]


def test_registering_again_opens_the_window(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.register(device.label.qr_text, "press", "press 4", OWNER)
    assert device.sync()["action"] == "configure"


def test_label_that_may_be_used_once_cannot_be_used_again(place: Field) -> None:
    place.profiles.replace("press", PROFILE | {"reonboarding": "never"})
    device = place.registered()
    device.onboard()
    with pytest.raises(Conflict, match="used once"):
        place.devices.open_window(device.id, OWNER)
    with pytest.raises(Conflict, match="used once"):
        place.devices.register(device.label.qr_text, "press", "press 4", OWNER)


def test_profile_that_is_not_there_is_named(place: Field) -> None:
    with pytest.raises(NotFound, match='no profile named "other"'):
        place.devices.register(new_label().qr_text, "other", "", OWNER)


def test_unproved_claims_expire_with_their_accounts(place: Field) -> None:
    for _ in range(4):
        place.registered(new_label("PRESS-4"))
    place.clock.pass_s(CLAIM_LIFE_S)
    place.presence.end_expired()
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_claim_that_expired_is_not_recognised(place: Field) -> None:
    device = place.registered()
    place.clock.pass_s(CLAIM_LIFE_S)
    with pytest.raises(NotRecognised):
        device.sync()


def test_claim_that_a_device_answers_to_does_not_expire(place: Field) -> None:
    device = place.registered()
    place.clock.pass_s(CLAIM_LIFE_S - 1)
    device.sync()
    place.clock.pass_s(CLAIM_LIFE_S - 1)
    place.presence.end_expired()
    assert device.shown()["claim"] == "unproved"


def test_somebody_else_cannot_register_the_same_label(place: Field) -> None:
    device = place.registered()
    with pytest.raises(Conflict, match="somebody else"):
        place.devices.register(device.label.qr_text, "press", "", "other")


def test_proved_id_cannot_be_claimed_with_another_secret(place: Field) -> None:
    device = place.registered()
    device.onboard()
    with pytest.raises(Conflict, match="another secret"):
        place.registered(new_label(device.id))


def test_device_of_somebody_else_does_not_exist_for_me(place: Field) -> None:
    device = place.registered()
    for deed in (place.devices.shown, place.devices.open_window, place.devices.release):
        with pytest.raises(NotFound):
            deed(device.id, "other")
    assert place.devices.views.page("other", Wanted())["devices"] == []


def test_released_device_can_be_claimed_by_its_next_owner(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.release(device.id, OWNER)
    place.devices.register(device.label.qr_text, "press", "", "next")
    device.echo = None
    version = device.sync()["config"]["version"]
    assert version == 2  # above what the device has reported
    device.confirm(version)
    assert place.devices.shown(device.id, "next")["state"] == "registered"


def test_device_that_has_not_confirmed_is_told_to_forget_after_its_release(place: Field) -> None:
    device = place.registered()
    device.sync()
    place.devices.release(device.id, OWNER)
    assert device.sync("1")["action"] == "forget"
    place.jobs.run_due()
    assert place.platform.tokens == {}
    with pytest.raises(NotFound):
        device.shown()


def test_device_with_a_carried_bundle_is_told_to_forget_after_its_release(place: Field) -> None:
    device = place.registered()
    device.apply_bundle()
    place.devices.release(device.id, OWNER)
    assert device.sync("1")["action"] == "forget"


def test_device_is_told_to_forget_however_many_bundles_were_made_since(place: Field) -> None:
    device = place.registered()
    place.receipts.check(device.id, OWNER, device.apply_bundle())
    for _ in range(16):
        place.bundles.make(device.id, OWNER)
    place.devices.release(device.id, OWNER)
    assert device.sync("1")["action"] == "forget"


def test_of_released_registrations_only_the_newest_are_kept(place: Field) -> None:
    devices = []
    for _ in range(4):
        place.clock.pass_s(1)
        devices.append(place.registered(new_label("PRESS-4")))
        devices[-1].sync()
        place.devices.release("PRESS-4", OWNER)
    for device in devices[:2]:
        with pytest.raises(NotRecognised):
            device.sync("1")
    assert [device.sync("1")["action"] for device in devices[2:]] == ["forget", "forget"]


def test_vendors_device_refuses_other_secrets(place: Field) -> None:
    genuine, forged = new_label("PRESS-4"), new_label("PRESS-4")
    place.devices.register_for_vendor([genuine.qr_text])
    with pytest.raises(LabelRefused, match="another secret"):
        place.registered(forged)
    place.registered(genuine).onboard()


def test_vendors_import_gives_a_verdict_for_each_label(place: Field) -> None:
    known, new, forged = new_label("A"), new_label("B"), new_label("A")
    place.devices.register_for_vendor([known.qr_text])
    texts = [known.qr_text, new.qr_text, forged.qr_text, new.qr_text[:-1] + "0"]
    verdicts = place.devices.register_for_vendor(texts)
    assert [v["verdict"] for v in verdicts] == ["known", "added", "refused", "refused"]
    assert "cannot occur" in verdicts[3]["detail"]


def test_vendors_import_drops_claims_with_other_secrets(place: Field) -> None:
    squatter = place.registered(new_label("PRESS-4"))
    genuine = new_label("PRESS-4")
    place.devices.register_for_vendor([genuine.qr_text])
    with pytest.raises(NotRecognised):
        squatter.sync()
    assert Device(place, genuine).sync()["action"] == "wait"


def test_networks_that_a_device_has_seen_can_be_shown_on_a_terminal(place: Field) -> None:
    device = place.registered()
    names = [b"caf\xc3\xa9", b"\x1b[2J", b"\xff"]
    coded = [urlsafe_b64encode(name).decode().rstrip("=") for name in names]
    device.sync(scan=[[name, 6, -48, 0] for name in coded])
    assert [name for name, *_ in device.shown()["device"]["scan"]] == [
        "café",
        "base64:G1sySg==",
        "base64:/w==",
    ]


def test_handing_over_closes_the_account_and_names_what_the_device_knew(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("battery staple")
    device.sync("1")
    released = place.devices.hand_over(device.id, OWNER)
    assert (released["device_id"], released["networks"]) == (device.id, ["factory"])
    assert [a["platform"] for a in released["accounts"]] == [PLATFORM_URL]
    assert not {"correct horse", "battery staple"} & set(str(released).split("'"))
    place.jobs.run_due()
    assert place.platform.tokens == {}
    assert device.sync("adopted")["action"] == "forget"
    with pytest.raises(NotFound):
        place.devices.hand_over(device.id, OWNER)


def test_nothing_that_is_shown_is_a_secret(place: Field) -> None:
    device = place.registered()
    device.onboard()
    text = json.dumps(device.shown()) + json.dumps(place.devices.views.page(OWNER, Wanted()))
    configuration = device.configs[1]
    for secret in (
        device.label.secret.hex(),
        device.label.qr_text,
        configuration["platform"]["token"],
        configuration["config_server"]["key"],
        "correct horse",
    ):
        assert secret not in text


def test_nothing_at_rest_is_a_secret(place: Field) -> None:
    device = place.registered()
    device.onboard()
    kept = [value for _, rows in all_rows(place.engine).values() for row in rows for value in row]
    dump = "\n".join(value.hex() if isinstance(value, bytes) else str(value) for value in kept)
    configuration = device.configs[1]
    for secret in (
        device.label.secret.hex(),
        configuration["platform"]["token"],
        configuration["config_server"]["key"],
        "correct horse",
    ):
        assert secret.lower() not in dump.lower()
        assert secret.encode().hex() not in dump.lower()

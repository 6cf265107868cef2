# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Many devices at once: does each get its verdict, and the rest of its onboarding?"""

from collections.abc import Iterator
from typing import Any

import pytest

from muster_server.errors import NotFound
from muster_server.label import Label, new_label
from tests import secrecy
from tests.host_server.config_server.field import OWNER, Device, Field, open_field


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as field:
        yield field


def labels(number: int) -> list[Label]:
    made = [new_label() for _ in range(number)]
    for label in made:
        secrecy.hide_label(label.qr_text, label.secret)
    return made


def register(place: Field, *rows: Label | str, owner: str = OWNER, **more: Any) -> list[str]:
    texts = [row if isinstance(row, str) else row.qr_text for row in rows]
    named = [(text, f"press {n}") for n, text in enumerate(texts)]
    verdicts = place.bulk.register(named, "press", owner, more.get("is_trial", False))
    return [one["verdict"] for one in verdicts]


def test_one_of_many_onboards_like_any_other(place: Field) -> None:
    some = labels(120)
    assert register(place, *some) == ["added"] * 120
    device = Device(place, some[77])
    before = device.shown()
    assert (before["name"], before["profile"]) == ("press 77", "press")
    assert before["window"]["open"] is True
    assert [step["state"] for step in before["steps"][:3]] == ["done", "done", "pending"]
    assert device.onboard() == 1
    assert device.shown()["claim"] == "proved"


def test_row_that_cannot_be_had_is_refused_and_the_others_are_added(place: Field) -> None:
    mine, theirs, reissued, mistyped = labels(4)
    register(place, theirs, owner="somebody else")
    Device(place, reissued)  # proves an id under another secret
    first = Device(place, reissued)
    register(place, reissued)
    first.onboard()
    other = new_label(reissued.device_id)
    secrecy.hide_label(other.qr_text, other.secret)
    rows = [(mine.qr_text, ""), (theirs.qr_text, ""), (other.qr_text, "")]
    rows += [(mistyped.qr_text[:-1], ""), (mine.qr_text, "")]
    verdicts = place.bulk.register(rows, "press", OWNER, False)
    assert [one["verdict"] for one in verdicts] == [
        *("added", "refused", "refused", "refused", "known")
    ]
    said = [one["detail"] for one in verdicts]
    assert "by somebody else" in said[1]
    assert "another secret has proved this id" in said[2]
    assert "the secret has 36 characters" in said[3]
    assert not any(label.qr_text[-36:] in text for text in said for label in (mine, theirs, other))


def test_known_device_stays_as_it_is(place: Field) -> None:
    device = place.registered()
    device.onboard()
    before = device.shown()
    assert register(place, device.label) == ["known"]
    assert device.shown() == before


def test_trial_says_the_same_and_keeps_nothing(place: Field) -> None:
    some = labels(60)
    rows: list[Label | str] = [*some, some[0], "no label"]
    said = register(place, *rows, is_trial=True)
    with pytest.raises(NotFound):
        Device(place, some[0]).shown()
    assert register(place, *rows)[:60] == said[:60] == ["added"] * 60
    assert said[-1] == "refused"


def test_profile_that_is_not_there_is_named(place: Field) -> None:
    with pytest.raises(NotFound, match='no profile named "none"'):
        place.bulk.register([(labels(1)[0].qr_text, "")], "none", OWNER, False)

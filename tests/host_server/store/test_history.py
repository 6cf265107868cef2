# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what is noted together written down as if it had been noted one by one?"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from muster_server.store.history import KEPT, REFUSED, STRANGERS_KEPT, History, Moment
from tests.host_server.config_server.field import OWNER, Field, open_field

ID = "PRESS-4"


@pytest.fixture
def place(empty_database: Callable[[str], str]) -> Iterator[Field]:
    with open_field(empty_database("config")) as opened:
        yield opened


def noted(place: Field, device_id: str, moments: list[Moment], *, is_together: bool) -> None:
    with place.store.transaction() as records, ExitStack() as block:
        if is_together:
            block.enter_context(records.history.together())
        for moment in moments:
            records.history.note(device_id, OWNER, moment)


def kept(place: Field, device_id: str) -> list[Moment]:
    with place.store.reading() as records:
        return records.history.of(device_id, OWNER)


def moment(what: str, at: float = 1.0, source: str = "config", detail: str = "") -> Moment:
    return Moment(source, at, what, detail=detail)


MANY = [
    moment("reported"),
    moment("reported", 2.0),
    moment("step", 2.0, "device"),
    moment("step", 2.0, "device"),  # what a device tells is never counted
    moment("reported", 3.0),
    moment(REFUSED, 4.0),
    moment("reported", 5.0),
    moment(REFUSED, 6.0),
    moment("proved", 7.0),
    moment("reported", 8.0),
    moment("claimed", 9.0, "portal"),
    moment("reported", 10.0, detail="another"),
]


def test_together_is_as_one_by_one(place: Field) -> None:
    for _ in range(2):  # the second time there is something to count with
        noted(place, "ONE", MANY, is_together=False)
        noted(place, ID, MANY, is_together=True)
        assert kept(place, ID) == kept(place, "ONE")
    assert any(moment.times == 4 for moment in kept(place, ID))


def test_question_in_between_sees_what_was_noted(place: Field) -> None:
    with place.store.transaction() as records, records.history.together():
        records.history.note(ID, OWNER, moment("reported"))
        before = records.history.newest_id()
        told = Moment("device", 2.0, "step", 8, ms=5)
        records.history.note(ID, OWNER, told)
        assert [m.what for m in records.history.of(ID, OWNER)] == ["reported", "step"]
        assert len(records.history.between(0, before)) == 1
        records.history.note(ID, OWNER, told)
        assert len(records.history.told_by_device(ID, OWNER, 64)) == 2


def test_nothing_is_left_of_a_block_that_an_error_ended(place: Field) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        place.store.transaction() as records,
        records.history.together(),
    ):
        records.history.note(ID, OWNER, moment("reported"))
        raise ZeroDivisionError
    assert kept(place, ID) == []


def test_what_is_noted_together_is_bounded_too(place: Field) -> None:
    moments = [moment("reported", float(n), detail=str(n)) for n in range(KEPT + 9)]
    strangers = [moment(REFUSED, float(n), detail=str(n)) for n in range(STRANGERS_KEPT + 9)]
    noted(place, ID, strangers, is_together=True)
    assert [m.detail for m in kept(place, ID)] == [str(n) for n in range(9, STRANGERS_KEPT + 9)]
    noted(place, ID, moments, is_together=True)
    assert [m.detail for m in kept(place, ID)] == [str(n) for n in range(9, KEPT + 9)]


def test_report_is_written_with_one_statement(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    add = History._add

    def counting(history: History, added: list[Any]) -> None:
        written.append(len(added))
        add(history, added)

    device = place.registered()
    device.sync()
    monkeypatch.setattr(History, "_add", counting)
    device.sync("1", state="trial", timeline=[[8, "ok", 5], [9, "ok", 7]])
    assert written == [5]  # the report, two steps, the claim and the version that are proved


@pytest.mark.parametrize("there", [1, 40, KEPT - 2])
def test_history_is_bounded_however_much_of_it_there_was(place: Field, there: int) -> None:
    noted(place, ID, [moment("reported", detail=str(n)) for n in range(there)], is_together=True)
    for n in range(there, KEPT + 5):
        noted(place, ID, [moment("reported", detail=str(n))], is_together=n % 2 == 0)
    with place.store.reading() as records:
        rows = records._sql.value("SELECT count(*) FROM history WHERE device_id = ?", ID)
    assert rows == KEPT


def test_what_was_counted_or_added_in_a_transaction_is_seen_in_it(place: Field) -> None:
    noted(
        place,
        ID,
        [moment("reported", float(n), detail=str(n)) for n in range(40)],
        is_together=True,
    )
    with place.store.transaction() as records:
        for at in (50.0, 51.0):
            records.history.note(ID, OWNER, moment("reported", at, detail="39"))
        records.history.note(ID, OWNER, Moment("device", 52.0, "step", 8, ms=5))
        assert [told.at for told in records.history.told_by_device(ID, OWNER, 1)] == [52.0]
        assert [told.at for told in records.history.told_by_device(ID, OWNER, 64)] == [52.0]
    counted, added = kept(place, ID)[-2:]
    assert (counted.times, counted.until, added.at) == (3, 51.0, 52.0)


def test_newest_of_a_source_is_found_behind_many_of_another(place: Field) -> None:
    noted(place, ID, [moment("claimed", 1.0, "portal")], is_together=True)
    noted(place, ID, [moment("step", float(n), "device") for n in range(60)], is_together=True)
    noted(place, ID, [moment("claimed", 70.0, "portal")], is_together=True)
    first, *others = kept(place, ID)
    assert (first.times, first.until, len(others)) == (2, 70.0, 60)

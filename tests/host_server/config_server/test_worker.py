# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does one worker of all go on, and the next one when it is gone?"""

from collections.abc import Iterator

import pytest

from muster_server.config_server.worker import Worker
from muster_server.label import new_label
from muster_server.store.tasks import TaskRow
from tests.host_server.config_server.field import OWNER, Field, open_field


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


@pytest.fixture
def task_id(place: Field) -> str:
    task = place.tasks.begin("claim", OWNER, {"profile": "press"}, "ada")["id"]
    rows = [TaskRow(n, label=new_label().qr_text) for n in range(1, 121)]
    place.tasks.add_rows(task, OWNER, rows)
    place.tasks.start(task, OWNER, is_trial=False)
    return str(task)


def done(place: Field, task_id: str) -> int:
    return int(place.tasks.shown(task_id, OWNER)["done"])


def test_one_works_and_no_other_while_it_has_the_lease(place: Field, task_id: str) -> None:
    first, other = (Worker(place.store, (place.tasks,), place.clock) for _ in range(2))
    assert first.step()
    assert not other.step()
    assert done(place, task_id) == 50
    place.clock.pass_s(31)
    assert other.step()
    assert not first.step()
    assert done(place, task_id) == 100


def test_next_one_goes_on_where_the_last_one_was_killed(place: Field, task_id: str) -> None:
    Worker(place.store, (place.tasks,), place.clock).step()
    place.clock.pass_s(31)
    while place.worker.step():
        pass
    shown = place.tasks.shown(task_id, OWNER)
    assert (shown["state"], shown["verdicts"]) == ("done", {"added": 120})
    assert place.devices.views.counts(OWNER)["devices"] == 120
    (row,) = place.tasks.rows(task_id, OWNER, 49, 1, None)["rows"]
    with place.store.reading() as records:
        moments = records.history.of(row["device_id"], OWNER)
    assert [moment.what for moment in moments] == ["claimed"]

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what is done to many devices done once to each, with a verdict, whatever happens between?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from muster_server.config_server.tasks import IDLE_S, KEPT
from muster_server.errors import Conflict, Invalid, NotFound
from muster_server.label import Label, new_label
from muster_server.store.tasks import TaskRow
from tests import secrecy
from tests.host_server.config_server.field import OWNER, PROFILE, Field, open_field

OTHER = "o-0000000001"


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def labels(number: int) -> list[Label]:
    made = [new_label() for _ in range(number)]
    for label in made:
        secrecy.hide_label(label.qr_text, label.secret)
    return made


def claiming(place: Field, some: list[Label], owner: str = OWNER) -> str:
    task = place.tasks.begin("claim", owner, {"profile": "press"}, "ada")
    rows = [TaskRow(n, label=one.qr_text, name=f"press {n}") for n, one in enumerate(some, 1)]
    place.tasks.add_rows(task["id"], owner, rows)
    return str(task["id"])


def changing(place: Field, names: list[str], **more: Any) -> str:
    task_id = str(place.tasks.begin("change", OWNER, more, "ada")["id"])
    rows = [TaskRow(n, device_id=name) for n, name in enumerate(names, 1)]
    place.tasks.add_rows(task_id, OWNER, rows)
    place.tasks.start(task_id, OWNER, is_trial=False)
    place.work()
    return task_id


def devices(place: Field) -> int:
    return int(place.devices.views.counts(OWNER)["devices"])


def labels_kept(place: Field, task_id: str) -> int:
    with place.store.reading() as records:
        return len([row for row in records.tasks.pending(task_id, 9, 1000) if row.label])


def test_table_is_tried_first_and_done_when_its_owner_says_so(place: Field) -> None:
    task_id = claiming(place, labels(120))
    place.tasks.start(task_id, OWNER, is_trial=True)
    place.work()
    tried = place.tasks.shown(task_id, OWNER)
    assert (tried["state"], tried["done"], tried["verdicts"]) == ("looked", 120, {"added": 120})
    assert devices(place) == 0
    place.tasks.start(task_id, OWNER, is_trial=False)
    assert place.tasks.shown(task_id, OWNER)["done"] == 0
    place.work()
    done = place.tasks.shown(task_id, OWNER)
    assert (done["state"], done["done"], done["verdicts"]) == ("done", 120, {"added": 120})
    assert devices(place) == 120
    assert labels_kept(place, task_id) == 0


def test_whoever_has_lost_the_lease_between_two_transactions_writes_nothing(place: Field) -> None:
    task_id = claiming(place, labels(60))
    for is_trial in (True, False):
        place.tasks.start(task_id, OWNER, is_trial=is_trial)
        assert place.tasks.step(lambda records: False)
        assert place.tasks.shown(task_id, OWNER)["done"] == 0
        place.work()
    assert devices(place) == 60


def test_labels_that_nobody_goes_on_with_are_forgotten(place: Field) -> None:
    task_id = claiming(place, labels(5))
    place.tasks.start(task_id, OWNER, is_trial=True)
    place.work()
    assert labels_kept(place, task_id) == 5
    place.clock.pass_s(IDLE_S + 1)
    place.worker.step()
    assert place.tasks.shown(task_id, OWNER)["state"] == "expired"
    assert labels_kept(place, task_id) == 0
    with pytest.raises(Conflict):
        place.tasks.start(task_id, OWNER, is_trial=False)


def test_many_get_another_profile_and_group_and_those_that_are_not_yours_are_refused(
    place: Field,
) -> None:
    place.profiles.add(PROFILE | {"name": "lathe", "networks": [{"ssid": "other", "psk": None}]})
    mine = [place.registered() for _ in range(60)]
    theirs = new_label()
    place.devices.register(theirs.qr_text, "press", "", OTHER)
    mine[0].onboard()
    names = [*(one.id for one in mine), theirs.device_id, "NOBODY"]
    task_id = changing(place, names, profile="lathe", group="hall 3", added_tags=["spare"])
    assert place.tasks.shown(task_id, OWNER)["verdicts"] == {"changed": 60, "refused": 2}
    counts = place.devices.views.counts(OWNER)
    assert counts["profiles"] == {"lathe": 60}
    assert (counts["groups"], counts["tags"]) == ({"hall 3": 60}, {"spare": 60})
    assert place.devices.shown(theirs.device_id, OTHER)["profile"] == "press"
    # The next configuration is of the new profile.
    assert mine[0].sync(k="1")["config"]["networks"][0]["ssid"] == "other"
    refused = place.tasks.rows(task_id, OWNER, 0, 10, "refused")["rows"]
    assert [row["device_id"] for row in refused] == [theirs.device_id, "NOBODY"]


def test_row_that_is_refused_half_way_leaves_nothing_half_done(place: Field) -> None:
    device = place.registered()
    full = [f"t{n:02}" for n in range(20)]
    place.devices.change(device.id, OWNER, None, None, None, full)
    task_id = changing(place, [device.id], group="hall 3", added_tags=["one more"])
    assert place.tasks.shown(task_id, OWNER)["verdicts"] == {"refused": 1}
    shown = place.devices.shown(device.id, OWNER)
    assert (shown["group"], shown["tags"]) == ("", full)


def test_task_of_another_owner_is_not_there(place: Field) -> None:
    task_id = claiming(place, labels(1))
    asked: tuple[Callable[[], object], ...] = (
        lambda: place.tasks.shown(task_id, OTHER),
        lambda: place.tasks.rows(task_id, OTHER, 0, 10, None),
        lambda: place.tasks.add_rows(task_id, OTHER, [TaskRow(9)]),
        lambda: place.tasks.start(task_id, OTHER, is_trial=False),
        lambda: place.tasks.give_up(task_id, OTHER),
    )
    for ask in asked:
        with pytest.raises(NotFound):
            ask()
    assert place.tasks.listed(OTHER) == []
    assert [task["id"] for task in place.tasks.listed(OWNER)] == [task_id]


def test_rows_come_once_in_order_and_before_the_start(place: Field) -> None:
    task_id = claiming(place, labels(2))
    for rows in ([TaskRow(2)], [TaskRow(3), TaskRow(3)], [TaskRow(1)]):
        with pytest.raises(Invalid):
            place.tasks.add_rows(task_id, OWNER, rows)
    place.tasks.start(task_id, OWNER, is_trial=False)
    with pytest.raises(Conflict):
        place.tasks.add_rows(task_id, OWNER, [TaskRow(3)])
    place.tasks.give_up(task_id, OWNER)
    place.work()
    assert devices(place) == 0


def test_old_tasks_make_room_and_those_under_way_do_not(place: Field) -> None:
    for n in range(KEPT + 5):
        task_id = claiming(place, labels(1))
        place.tasks.start(task_id, OWNER, is_trial=False)
        place.work()
        place.clock.pass_s(1 + n)
    assert len(place.tasks.listed(OWNER)) == KEPT
    for task in place.tasks.listed(OWNER):
        place.tasks.give_up(task["id"], OWNER)
    for _ in range(KEPT):
        claiming(place, labels(1))
    with pytest.raises(Conflict, match="have not ended"):
        claiming(place, labels(1))


def test_wrong_arguments_begin_nothing(place: Field) -> None:
    with pytest.raises(NotFound):
        place.tasks.begin("claim", OWNER, {"profile": "none"}, "ada")
    with pytest.raises(Invalid):
        place.tasks.begin("change", OWNER, {"added_tags": ["a,b"]}, "ada")
    assert place.tasks.listed(OWNER) == []

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what the platform's store need not ask for again ever wrong? On both stores."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from muster_server import lane
from muster_server.store import platform
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import PlatformStore, Resource, Rows, Token
from muster_server.store.platform_history import Sight
from muster_server.store.platform_known import Holder

TIME, SOON, LATE = "20261123T075904,012551", "20261124T000000", "20291124T000000"
TOP = Resource("id-in", 5, "cse-in", "", "cse-in", None, TIME, TIME, None, {})
AE = Resource("C1", 2, "C1", "id-in", "cse-in/C1", "C1", TIME, TIME, LATE, {})
NEW = Resource("C2", 2, "C2", "id-in", "cse-in/C2", "C2", TIME, TIME, LATE, {"aei": "C2"})
SUBSCRIPTION = Resource("s1", 23, "s1", "C1", "cse-in/C1/s1", "C1", TIME, TIME, None, {})
HASH = "a" * 64


@contextmanager
def opened(url: str) -> Iterator[PlatformStore]:
    engine = open_engine(url)
    migrate(engine, "muster_server.platform_server", platform.HEAD)
    store = PlatformStore(engine)
    with store.transaction() as rows:
        rows.add(TOP)
        rows.add(AE)
        rows.add_account("C1", TIME)
        rows.add_token(Token("t1", "C1", HASH, TIME))
    yield store
    engine.dispose()


@pytest.fixture
def store(empty_database: Callable[[str], str]) -> Iterator[PlatformStore]:
    with opened(empty_database("platform")) as store:
        yield store


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[PlatformStore]:
    """One with a connection for each who asks, which one in memory has not."""
    with opened(database_url(tmp_path, "platform")) as store:
        yield store


def ask_all(rows: Rows) -> tuple[Holder | None, bool, bool, bool]:
    """Ask for everything that may be known from now on."""
    if not rows.asked.is_unsubscribed("C1") and not rows.children_of_type("C1", 23, 1):
        rows.asked.learn_unsubscribed("C1")
    return (
        rows.asked.holder(HASH),
        rows.asked.has_expired(SOON),
        rows.asked.owns("C1", 3),
        rows.asked.is_unsubscribed("C1"),
    )


@contextmanager
def lost_batch() -> Iterator[None]:
    """A batch of the lane that is lost at its end, as on a full disk."""
    batch = lane._here.batch = lane.Batch(None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for share in batch.shares.values():
            share.undo()
        lane._here.batch = None


def test_nothing_is_asked_for_again_that_is_known(store: PlatformStore) -> None:
    with store.transaction() as rows:
        before = ask_all(rows)
    assert before[:3] == (Holder("C1", None, None), False, False)
    if store._known.is_shared:
        assert not store._known.holders  # another process may change it
        return
    with store.transaction() as rows:
        rows.asked._sql = None  # type: ignore[assignment]  # nobody to ask
        assert ask_all(rows) == before


def test_token_is_good_no_longer_than_its_account(store: PlatformStore) -> None:
    ends: list[Callable[[Rows], object]] = [
        lambda rows: rows.remove_token("t1"),
        lambda rows: rows.remove_account("C1"),
    ]
    for end in ends:
        with store.reading() as rows:
            assert rows.asked.holder(HASH) is not None
        with store.transaction() as rows:
            end(rows)
            assert rows.asked.holder(HASH) is None
        with store.reading() as rows:
            assert rows.asked.holder(HASH) is None
        with store.transaction() as rows:
            if not rows.has_account("C1"):
                rows.add_account("C1", TIME)
            rows.add_token(Token("t1", "C1", HASH, TIME))


def test_kind_of_an_account_is_as_it_was_put_last(store: PlatformStore) -> None:
    with store.transaction() as rows:
        ask_all(rows)
    with store.transaction() as rows:
        rows.readers.put("C1", "owner:a", "application")
    with store.reading() as rows:
        assert rows.asked.holder(HASH) == Holder("C1", "application", "owner:a")


def test_snapshot_of_before_teaches_nothing_that_ended_meanwhile(on_disk: PlatformStore) -> None:
    with on_disk.reading() as before:
        assert before.has_account("C1")  # its snapshot begins here
        with on_disk.transaction() as rows:
            rows.remove_token("t1")
        assert before.asked.holder(HASH) is not None  # as it was then
    with on_disk.reading() as rows:
        assert rows.asked.holder(HASH) is None


def test_life_that_is_over_is_seen_whenever_it_was_set(store: PlatformStore) -> None:
    with store.transaction() as rows:
        assert not rows.asked.has_expired(SOON)
        rows.change(replace(AE, et=SOON))
    with store.transaction() as rows:
        assert rows.asked.has_expired(SOON)
        rows.change(replace(AE, et=LATE))
    with store.transaction() as rows:
        assert not rows.asked.has_expired(SOON)
        rows.add(replace(SUBSCRIPTION, et=SOON))
    with store.transaction() as rows:
        assert rows.asked.has_expired(SOON)
        rows.remove_expired(SOON)
    with store.transaction() as rows:
        assert not rows.asked.has_expired(SOON)


def test_subscription_is_found_where_there_was_none(store: PlatformStore) -> None:
    with store.transaction() as rows:
        ask_all(rows)
        rows.add(SUBSCRIPTION)
        assert not rows.asked.is_unsubscribed("C1")


def test_share_of_an_entity_is_never_counted_too_low(store: PlatformStore) -> None:
    with store.transaction() as rows:
        assert not rows.asked.owns("C1", 3)
        for n in range(2):
            rows.add(replace(SUBSCRIPTION, ri=f"s{n}", path=f"cse-in/C1/s{n}"))
        assert rows.asked.owns("C1", 3)
    with store.transaction() as rows:
        rows.remove_leaf("s0")
        assert not rows.asked.owns("C1", 3)


def test_first_reading_is_written_down_once(store: PlatformStore) -> None:
    for _ in range(3):
        with store.transaction() as rows:
            rows.history.note_first("C1", Sight(1.0, "first_reading"))
    with store.reading() as rows:
        assert [(sight.what, sight.times) for sight in rows.history.of("C1")] == [
            ("first_reading", 1)
        ]


REMOVALS: dict[str, Callable[[Rows], object]] = {
    "token": lambda rows: rows.remove_token("t1"),
    "subscription": lambda rows: rows.remove("s1"),
    "leaf": lambda rows: rows.remove_leaf("s1"),
    "life": lambda rows: rows.change(replace(AE, et=SOON)),
}


@pytest.mark.parametrize("removed", REMOVALS)
def test_what_was_taken_back_teaches_nothing(store: PlatformStore, removed: str) -> None:
    with store.transaction() as rows:
        rows.add(SUBSCRIPTION)
    with pytest.raises(ValueError, match="no"), store.transaction() as rows:
        REMOVALS[removed](rows)
        ask_all(rows)
        raise ValueError("no")
    with store.transaction() as rows:
        assert ask_all(rows)[0] is not None
        assert not rows.asked.is_unsubscribed("C1")
        assert rows.asked.owns("C1", 2)


@pytest.mark.parametrize("removed", [name for name in REMOVALS if name != "life"])
def test_lost_batch_teaches_nothing(on_disk: PlatformStore, removed: str) -> None:
    with on_disk.transaction() as rows:
        rows.add(SUBSCRIPTION)
    with lost_batch():
        with on_disk.transaction() as rows:
            REMOVALS[removed](rows)
        with on_disk.transaction() as rows:
            ask_all(rows)
    with on_disk.transaction() as rows:
        assert rows.asked.holder(HASH) is not None
        assert not rows.asked.is_unsubscribed("C1")
        assert rows.asked.owns("C1", 2)


def nobody_to_ask(rows: Rows) -> None:
    rows._sql = rows.asked._sql = None  # type: ignore[assignment]


def register(store: PlatformStore) -> None:
    """Let a new account have an AE."""
    with store.transaction() as rows:
        rows.add_account("C2", TIME)
        rows.add_token(Token("t2", "C2", "b" * 64, TIME))
    with store.transaction() as rows:
        rows.add(NEW)


def test_what_was_made_here_is_not_asked_for(store: PlatformStore) -> None:
    register(store)
    if store._known.is_shared:
        assert not store._known.entities
        return
    with store.transaction() as rows:
        (there,) = rows.resources([NEW.ri])
        nobody_to_ask(rows)
        assert rows.resource(NEW.ri) == rows.resource_at(NEW.path) == there
        assert rows.asked.holder("b" * 64) == Holder("C2", None, None)
        assert not rows.asked.owns(NEW.ri, 2)
        assert rows.asked.is_unsubscribed(NEW.ri)


CHANGES: dict[str, Callable[[Rows], object]] = {
    "attributes": lambda rows: rows.change(replace(NEW, attributes={"nl": "nod1"})),
    "counts": lambda rows: rows.change_counts(replace(NEW, attributes={"nl": "nod1"})),
    "governed": lambda rows: rows.govern(TOP, replace(TOP, governed_by="id-in"), ()),
    "removed": lambda rows: rows.remove(NEW.ri),
}


@pytest.mark.parametrize("change", CHANGES)
def test_entity_is_as_it_was_changed_last(store: PlatformStore, change: str) -> None:
    register(store)
    with store.transaction() as rows:
        CHANGES[change](rows)
        seen = rows.resource(NEW.ri)
    assert seen is None or seen.attributes == {"nl": "nod1"} or seen.governed_by == "id-in"
    with store.transaction() as rows:
        assert rows.resource(NEW.ri) == rows.resource_at(NEW.path) == seen


@pytest.mark.parametrize("change", CHANGES)
def test_entity_that_is_changed_before_it_is_known_is_not_known(
    on_disk: PlatformStore, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Callable[[], object]] = []
    monkeypatch.setattr(lane, "afterwards", later.append)
    register(on_disk)
    with on_disk.transaction() as rows:
        CHANGES[change](rows)
    for do in later:
        do()
    with on_disk.transaction() as rows:
        seen = rows.resource(NEW.ri)
    assert seen is None or seen.attributes == {"nl": "nod1"} or seen.governed_by == "id-in"
    assert NEW.ri not in on_disk._known.entities


def test_entity_of_a_part_that_is_taken_back_is_not_known(store: PlatformStore) -> None:
    with store.transaction() as rows:
        with pytest.raises(ValueError, match="no"), rows.part():
            rows.add(NEW)
            rows.add_account("C2", TIME)
            rows.add_token(Token("t2", "C2", "b" * 64, TIME))
            raise ValueError("no")
        rows.add(SUBSCRIPTION)
    with store.transaction() as rows:
        assert rows.resource(NEW.ri) is None
        assert rows.asked.holder("b" * 64) is None


def test_entity_of_a_lost_batch_is_not_known(on_disk: PlatformStore) -> None:
    with lost_batch():
        register(on_disk)
    with on_disk.transaction() as rows:
        assert rows.resource(NEW.ri) is None


def test_token_of_an_account_that_was_there_is_asked_for(store: PlatformStore) -> None:
    with store.transaction() as rows:
        rows.readers.put("C1", "owner:a", "application")
    with store.transaction() as rows:
        assert not rows.add_account("C1", TIME)
        rows.add_token(Token("t2", "C1", "b" * 64, TIME))
    with store.transaction() as rows:
        assert rows.asked.holder("b" * 64) == Holder("C1", "application", "owner:a")


def test_token_of_a_lost_batch_is_nobodys(on_disk: PlatformStore) -> None:
    with lost_batch():
        with on_disk.transaction() as rows:
            rows.add_token(Token("t2", "C1", "b" * 64, TIME))
        with on_disk.transaction() as rows:
            assert rows.asked.holder("b" * 64) is not None
    with on_disk.transaction() as rows:
        assert rows.asked.holder("b" * 64) is None

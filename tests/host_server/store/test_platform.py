# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform's store promise, below the rules of oneM2M?"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from muster_server.store import platform, platform_tables
from muster_server.store.engine import open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import NameTaken, PlatformStore, Resource, Token

TIME = "20261123T075904,012551"
TOP = Resource("id-in", 5, "cse-in", "", "cse-in", None, TIME, TIME, None, {})
LEAF = Resource("c1", 3, "data", "id-in", "cse-in/data", None, TIME, TIME, None, {"lbl": ["x"]})


@pytest.fixture
def engine(empty_database: Callable[[str], str]) -> Iterator[Engine]:
    engine = open_engine(empty_database("platform"))
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> PlatformStore:
    migrate(engine, "muster_server.platform_server", platform.HEAD)
    store = PlatformStore(engine)
    with store.transaction() as rows:
        rows.add(TOP)
    return store


def test_tables_are_what_the_migrations_make(store: PlatformStore, engine: Engine) -> None:
    made = sa.inspect(engine)
    for name, table in platform_tables.metadata.tables.items():
        assert [column["name"] for column in made.get_columns(name)] == [
            column.name for column in table.columns
        ]


def test_resource_comes_back_as_it_was(store: PlatformStore) -> None:
    with store.transaction() as rows:
        kept = rows.add(LEAF)
        assert rows.resource("c1") == rows.resource_at("cse-in/data") == kept


def test_what_failed_leaves_nothing(store: PlatformStore) -> None:
    with pytest.raises(ValueError, match="no"), store.transaction() as rows:
        rows.add(LEAF)
        raise ValueError("no")
    with store.transaction() as rows:
        assert rows.resource("c1") is None


@pytest.mark.parametrize("twin", [replace(LEAF, ri="c2"), replace(LEAF, path="cse-in/other")])
def test_id_and_path_are_unique(store: PlatformStore, twin: Resource) -> None:
    with store.transaction() as rows:
        rows.add(LEAF)
        with pytest.raises(NameTaken):
            rows.add(twin)
        assert rows.resource("c1") is not None


def test_names_differ_by_case(store: PlatformStore) -> None:
    with store.transaction() as rows:
        rows.add(LEAF)
        rows.add(replace(LEAF, ri="c2", rn="Data", path="cse-in/Data"))


def test_labels_are_found_as_long_as_they_are_there(store: PlatformStore) -> None:
    with store.transaction() as rows:
        kept = rows.add(LEAF)
        assert rows.marked("lbl", ["x", "y"]) == [kept]
        rows.change(replace(kept, attributes={"lbl": ["y"]}))
        assert [found.ri for found in rows.marked("lbl", ["y"])] == ["c1"]
        assert rows.marked("lbl", ["x"]) == []
        rows.remove("c1")
        assert rows.marked("lbl", ["y"]) == []


def test_removal_takes_the_whole_subtree(store: PlatformStore) -> None:
    with store.transaction() as rows:
        rows.add(LEAF)
        rows.add(replace(LEAF, ri="c2", pi="c1", path="cse-in/data/c2"))
        rows.add(replace(LEAF, ri="c3", pi="c2", path="cse-in/data/c2/c3"))
        rows.remove("c1")
        assert rows.children(["id-in", "c1", "c2"], 10) == []


def test_tokens_go_with_their_account(store: PlatformStore) -> None:
    with store.transaction() as rows:
        rows.add_account("Cpen", TIME)
        rows.add_token(Token("t1", "Cpen", "0" * 64, TIME))
        rows.remove_account("Cpen")
        assert rows.asked.holder("0" * 64) is None


def test_tokens_are_not_stored_in_clear(store: PlatformStore, engine: Engine) -> None:
    columns = {column["name"] for column in sa.inspect(engine).get_columns("tokens")}
    assert columns == {"token_id", "originator", "hash", "ct"}

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a move to PostgreSQL take everything along, and let nobody write where nobody looks?"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from muster_server.errors import SettingsError, StoreError, Unavailable
from muster_server.store import copying
from muster_server.store.copying import move, reopen
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.forms import FORMS
from muster_server.store.migrations import migrate
from muster_server.store.moved import check_may_serve, end_copy
from muster_server.store.sql import Sql, insertion
from tests.postgres import Postgres

_CHORE = insertion("chore", ("id", "deed", "arguments", "due_at", "tries"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few rows in each database, references and a sealed value among them."""
    folder = tmp_path_factory.mktemp("made")
    for role, form in FORMS.items():
        engine = open_engine(database_url(folder, role))
        migrate(engine, *form)
        engine.dispose()
    run(folder, "config", insertion("key_check", ("id", "sealed")), 1, b"\0\xff sealed")
    run(folder, "config", _CHORE, 7, "describe", '{"url":"a\\u0000b"}', 1.5, 0)
    run(folder, "config", _CHORE, 9, "describe", "null", 2.0, 1)
    run(folder, "config", "DELETE FROM chore WHERE id = 9")
    run(folder, "portal", insertion("choice", ("name", "value")), "b", "a\0b")
    run(folder, "portal", insertion("choice", ("name", "value")), "Ä", "")
    audit = ("at", "who", "owner", "address", "deed", "about", "status")
    run(folder, "portal", insertion("audit", audit), 1.0, "ada", "ada", "", "sign in", "", 200)
    run(folder, "platform", "INSERT INTO accounts VALUES ('C1', '20260101T000000')")
    run(folder, "platform", "INSERT INTO readers VALUES ('C1', 'house', 'reader')")
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def run(folder: Path, role: str, text: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / f"{role}.sqlite")) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(text, values)
        connection.commit()


def rows(folder: Path, role: str, store: str, text: str) -> list[tuple[object, ...]]:
    engine = open_engine(database_url(folder, role, store))
    try:
        with Database(engine).reading() as connection:
            return [tuple(row) for row in Sql(connection).rows(text)]
    finally:
        engine.dispose()


def quiet(line: str) -> None:
    assert "sealed" not in line or "after" in line


def test_everything_comes_along_as_it_is(data: Path, postgres: Postgres) -> None:
    store = postgres.schema()
    moved = move(data, store, quiet)
    assert moved.rows == {"portal": 3, "config": 2, "platform": 2}
    assert rows(data, "config", store, "SELECT sealed FROM key_check") == [(b"\0\xff sealed",)]
    assert rows(data, "config", store, "SELECT * FROM chore") == [
        (7, "describe", '{"url":"a\\u0000b"}', 1.5, 0)
    ]
    assert rows(data, "portal", store, "SELECT * FROM choice ORDER BY name") == [
        ("b", "a\ufffdb"),
        ("Ä", ""),
    ]
    assert rows(data, "platform", store, "SELECT originator FROM readers") == [("C1",)]


def test_numbers_go_on_where_they_were(data: Path, postgres: Postgres) -> None:
    store = postgres.schema()
    move(data, store, quiet)
    engine = open_engine(database_url(data, "config", store))
    with Database(engine).transaction() as connection:
        text = insertion("chore", ("deed", "arguments", "due_at", "tries")) + " RETURNING id"
        number = Sql(connection).value(text, "x", "null", 0.0, 0)
    engine.dispose()
    assert number == 8


def test_nothing_can_be_written_any_more_where_it_came_from(
    data: Path, postgres: Postgres
) -> None:
    engine = open_engine(database_url(data, "portal"))
    database = Database(engine)  # of a server that runs meanwhile
    move(data, postgres.schema(), quiet)
    for text in ("INSERT INTO choice VALUES ('c', '')", "DELETE FROM choice"):
        with (
            pytest.raises(Unavailable, match="moved") as caught,
            database.transaction() as connection,
        ):
            Sql(connection).run(text)
        assert caught.value.retry_s == 5
    with pytest.raises(StoreError, match="start with --store"):
        check_may_serve(engine)
    assert reopen(data)
    check_may_serve(engine)
    with database.transaction() as connection:
        assert Sql(connection).run("DELETE FROM choice") == 2
    engine.dispose()


def cut_off_at_the_end(monkeypatch: pytest.MonkeyPatch, data: Path, store: str) -> None:
    def cut_off(*about: object) -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(copying, "_finish", cut_off)
        move(data, store, quiet)


def test_cut_off_copy_serves_nobody_and_goes_on_when_it_is_run_again(
    data: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres.schema()
    cut_off_at_the_end(monkeypatch, data, store)
    engine = open_engine(database_url(data, "config", store))
    with pytest.raises(StoreError, match="has begun and not ended"):
        check_may_serve(engine)
    # The servers go on meanwhile: one row more, one less, one that has changed.
    run(data, "config", "DELETE FROM chore")
    run(data, "config", _CHORE, 11, "objects", "{}", 3.0, 0)
    run(data, "portal", "UPDATE choice SET value = 'new' WHERE name = 'b'")
    moved = move(data, store, quiet)
    assert moved.rows == {"portal": 3, "config": 2, "platform": 2}
    check_may_serve(engine)
    engine.dispose()
    assert rows(data, "config", store, "SELECT id FROM chore") == [(11,)]
    assert rows(data, "portal", store, "SELECT value FROM choice WHERE name = 'b'") == [("new",)]


def test_whoever_is_cut_off_at_the_end_has_moved_all_roles_or_none(
    data: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres.schema()

    def and_then_cut_off(*about: Any) -> None:
        end_copy(*about)
        raise KeyboardInterrupt

    monkeypatch.setattr(copying, "end_copy", and_then_cut_off)
    with pytest.raises(KeyboardInterrupt):
        move(data, store, quiet)
    for role in FORMS:
        engine = open_engine(database_url(data, role, store))
        check_may_serve(engine)
        engine.dispose()


def test_row_that_arrives_otherwise_is_noticed_and_the_source_is_as_it_was(
    data: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, finish = postgres.schema(), copying._finish

    def and_then_changed(pairs: list[copying._Pair], targets: dict[str, object], say: copying.Say):  # type: ignore[no-untyped-def]
        begin = finish(pairs, targets, say)
        target = targets["portal"]
        assert isinstance(target, psycopg.Connection)
        target.execute("UPDATE choice SET value = 'other' WHERE name = 'b'")
        return begin

    monkeypatch.setattr(copying, "_finish", and_then_changed)
    with pytest.raises(StoreError, match="choice: a row is not what it was"):
        move(data, store, quiet)
    run(data, "portal", "DELETE FROM choice")


def test_store_with_something_in_it_is_refused(data: Path, postgres: Postgres) -> None:
    store = postgres.schema()
    engine = open_engine(database_url(data, "portal", store))
    migrate(engine, *FORMS["portal"])
    with Database(engine).transaction() as connection:
        Sql(connection).run("INSERT INTO choice VALUES ('mine', '')")
    engine.dispose()
    with pytest.raises(SettingsError, match="not empty: .*_portal has choice"):
        move(data, store, quiet)
    assert rows(data, "portal", store, "SELECT name FROM choice") == [("mine",)]


def test_copy_of_another_folder_is_not_gone_on_with(
    data: Path, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = postgres.schema()
    cut_off_at_the_end(monkeypatch, data, store)
    (data / "store-copy").unlink()  # as in another folder
    with pytest.raises(SettingsError, match="not empty"):
        move(data, store, quiet)


def test_folder_without_databases_and_one_of_another_release_are_refused(
    data: Path, postgres: Postgres, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="no database"):
        move(tmp_path, postgres.schema(), quiet)
    run(data, "config", "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(StoreError, match="at revision 0001"):
        move(data, postgres.schema(), quiet)

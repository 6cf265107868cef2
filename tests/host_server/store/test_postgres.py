# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does PostgreSQL promise as the store?"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import Engine

from muster_server.errors import SettingsError, StoreError, Unavailable
from muster_server.store.engine import Database, database_url, open_engine, transaction
from muster_server.store.forms import FORMS
from muster_server.store.migrations import current_revision
from muster_server.store.postgres import is_lost, is_refused, role_url
from muster_server.store.sql import Sql, insertion, with_marks
from tests.postgres import Postgres

PUT = insertion("choice", ("name", "value"))
_PATIENCE_S = 30


@pytest.fixture
def engine(postgres: Postgres) -> Iterator[Engine]:
    engine = open_engine(postgres.emptied("portal"))
    yield engine
    engine.dispose()


@pytest.fixture
def database(engine: Engine) -> Database:
    return Database(engine)


def put(database: Database, name: str, value: str = "x", about: str | None = None) -> None:
    with database.transaction(about) as connection:
        Sql(connection).run(PUT, name, value)


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return [row["name"] for row in Sql(connection).rows("SELECT name FROM choice ORDER BY 1")]


def beside(
    database: Database, mine: str | None, other: str | None, patience_s: float = 0.3
) -> bool:
    """Tell whether a transaction about the other can happen within one about mine."""
    done = threading.Event()

    def happen() -> None:
        put(database, "other", about=other)
        done.set()

    thread = threading.Thread(target=happen)
    with database.transaction(mine):
        thread.start()
        is_done = done.wait(patience_s)
    thread.join(_PATIENCE_S)
    assert done.is_set()
    return is_done


@pytest.mark.parametrize(("mine", "other"), [("PRESS-4", "PRESS-5"), ("a\nb", "c\nd")])
def test_those_who_are_about_other_things_wait_for_nobody(
    database: Database, mine: str, other: str
) -> None:
    assert beside(database, mine, other, patience_s=5)


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("PRESS-4", "PRESS-4"),
        (None, "PRESS-4"),
        ("PRESS-4", None),
        (None, None),
        ("a\nb", "c\nb"),
        ("a\nb", None),
    ],
)
def test_others_take_turns(database: Database, mine: str | None, other: str | None) -> None:
    assert not beside(database, mine, other)


def test_those_about_the_same_several_things_never_wait_in_a_ring(database: Database) -> None:
    def happen(about: str) -> None:
        for _ in range(20):
            with database.transaction(about):
                pass

    threads = [threading.Thread(target=happen, args=(each,)) for each in ("a\nb\nc", "c\nb\na")]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()
    assert time.monotonic() - began < _PATIENCE_S


def test_reading_stays_as_it_was_when_it_began_and_changes_nothing(database: Database) -> None:
    with database.reading() as connection:
        sql = Sql(connection)
        assert sql.rows("SELECT name FROM choice") == []
        put(database, "wifi")
        assert sql.rows("SELECT name FROM choice") == []
    assert names(database) == ["wifi"]
    with pytest.raises(StoreError, match="read-only"), database.reading() as connection:
        Sql(connection).run(PUT, "b", "x")


def try_twice(database: Database) -> None:
    with database.transaction() as connection:
        Sql(connection).run(PUT, "wifi", "x")
        with pytest.raises(psycopg.Error):
            Sql(connection).run(PUT, "wifi", "x")


def test_statement_that_failed_takes_its_transaction_with_it(database: Database) -> None:
    with pytest.raises(StoreError, match="a statement failed"):
        try_twice(database)
    assert names(database) == []


def test_error_does_not_repeat_what_was_to_be_stored(database: Database) -> None:
    put(database, "hunter2")
    with pytest.raises(StoreError, match="duplicate key") as caught:
        put(database, "hunter2")
    assert "hunter2" not in str(caught.value)


def test_server_that_was_restarted_is_found_again_by_who_had_connections(
    database: Database, postgres: Postgres
) -> None:
    put(database, "before")
    postgres.restart()
    assert names(database) == ["before"]
    put(database, "after")
    assert names(database) == ["after", "before"]


def test_restart_within_a_transaction_is_unavailable_for_a_moment(
    database: Database, postgres: Postgres
) -> None:
    with pytest.raises(Unavailable), database.transaction() as connection:
        postgres.restart()
        Sql(connection).run(PUT, "lost", "x")
    assert names(database) == []


def test_server_that_is_away_is_unavailable(database: Database, postgres: Postgres) -> None:
    postgres.stop()
    try:
        with pytest.raises(Unavailable), database.reading():
            pass
    finally:
        postgres.start()


def test_server_that_may_only_read_now_is_left_for_another() -> None:
    error = errors.FeatureNotSupported("cannot set transaction read-write mode during recovery")
    assert is_lost(error) and is_refused(error)


def test_who_cannot_have_his_turn_is_refused_in_time(database: Database, engine: Engine) -> None:
    with transaction(engine), pytest.raises(Unavailable):
        begin = time.monotonic()
        put(database, "late")
    assert time.monotonic() - begin < 15


def test_sign_of_no_text_is_replaced(database: Database) -> None:
    put(database, "a\0b")
    assert names(database) == ["a\ufffdb"]


def test_text_compares_by_its_bytes(database: Database) -> None:
    for name in ("b", "B", "a/", "a0", "ä"):
        put(database, name)
    assert names(database) == sorted(["b", "B", "a/", "a0", "ä"])


@pytest.mark.parametrize("role", FORMS)
def test_columns_have_the_types_that_sqlite_has(postgres: Postgres, role: str) -> None:
    engine = open_engine(postgres.emptied(role))
    try:
        with transaction(engine) as connection:
            found = Sql(connection).rows(
                "SELECT DISTINCT data_type, collation_name FROM information_schema.columns"
                " WHERE table_schema = current_schema()"
            )
    finally:
        engine.dispose()
    assert {tuple(row) for row in found} <= {
        ("text", "C"),
        ("bigint", None),
        ("double precision", None),
        ("bytea", None),
    }


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("C*", "Cabc", "cabc"),
        ("a_b%", "a_b%", "axb%"),
        ("[[]x[?]*", "[x?yz", "[xy"),
        ("a?c", "abc", "abbc"),
        ("back\\slash*", "back\\slash", "backslash"),
    ],
)
def test_patterns_are_those_of_sqlite(
    database: Database, tmp_path: Path, pattern: str, fits: str, does_not: str
) -> None:
    other = open_engine(database_url(tmp_path, "portal"))
    try:
        for each in (database, Database(other)):
            with each.transaction() as connection:
                sql = Sql(connection)
                assert sql.value("SELECT glob(?, ?)", pattern, fits)
                assert not sql.value("SELECT glob(?, ?)", pattern, does_not)
    finally:
        other.dispose()


def test_marks_and_percent_signs_are_written_as_the_driver_reads_them() -> None:
    text = "SELECT '?', \"a?\" FROM t WHERE a LIKE ':%' AND b = ? AND c % 2 = ?"
    assert with_marks(text) == (
        "SELECT '?', \"a?\" FROM t WHERE a LIKE ':%%' AND b = %s AND c %% 2 = %s"
    )


def test_processes_that_start_at_once_make_the_tables_once(postgres: Postgres) -> None:
    url = role_url(postgres.schema(), "config")
    program = (
        "import sys; from muster_server.store.engine import open_engine;"
        "from muster_server.store.forms import FORMS;"
        "from muster_server.store.migrations import migrate;"
        "engine = open_engine(sys.argv[1]); migrate(engine, *FORMS['config']); engine.dispose()"
    )
    command = [sys.executable, "-c", program, url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    try:
        for process in processes:
            _, said = process.communicate(timeout=60)
            assert (process.returncode, said) == (0, b"")
    finally:
        for process in processes:
            process.kill()
            process.wait(_PATIENCE_S)
    engine = open_engine(url)
    assert current_revision(engine) == FORMS["config"][1]
    engine.dispose()


def test_password_of_the_url_is_nowhere_to_be_seen() -> None:
    engine = open_engine(role_url("postgresql://m:hunter2@127.0.0.1:1/muster", "config"))
    database = Database(engine)
    with pytest.raises(Unavailable) as caught, database.reading():
        pass
    assert "hunter2" not in f"{engine!r} {engine.url!r} {caught.value}"
    engine.dispose()


@pytest.mark.parametrize("url", ["postgresql://db/x?schema=No", "postgresql://db/x?schema=a'b"])
def test_schema_that_is_no_name_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="schema"):
        role_url(url, "config")


def test_url_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(SettingsError, match="wanted a URL") as caught:
        open_engine(role_url("postgresql://m:hunter2@db/x?no_such=1", "config"))
    assert "hunter2" not in str(caught.value)

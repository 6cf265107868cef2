# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are several rows in one statement all there, in their order? On both stores."""

from collections.abc import Callable

import pytest

from muster_server.store.engine import Database, open_engine
from muster_server.store.insertions import Insertion
from muster_server.store.sql import Sql

NAMES = Insertion("press", ("id", "name"), "ON CONFLICT DO NOTHING")


@pytest.mark.parametrize("number", [0, 1, 3, 5, 15, 16, 37])
def test_all_rows_are_added_whatever_their_number(
    empty_database: Callable[[str], str], number: int
) -> None:
    engine = open_engine(empty_database("config"))
    rows = [(n, f"Press {n}") for n in range(number)]
    with Database(engine).transaction() as connection:
        sql = Sql(connection)
        sql.run("CREATE TABLE press (id INTEGER PRIMARY KEY, name VARCHAR(64))")
        assert NAMES.run(sql, rows) == number
        found = sql.rows("SELECT id, name FROM press ORDER BY id")
        assert [tuple(row) for row in found] == rows
        assert NAMES.run(sql, [*rows, (99, "Press 99")]) == 1
        sql.run("DROP TABLE press")
    engine.dispose()

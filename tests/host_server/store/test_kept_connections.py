# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What becomes of connections between transactions?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from muster_server.store.engine import MEMORY, database_url, open_engine
from muster_server.store.kept_connections import KeptConnections


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(database_url(tmp_path, "config"))
    yield engine
    engine.dispose()


def test_connection_is_used_again(engine: Engine) -> None:
    kept = KeptConnections(engine)
    first = kept.take()
    kept.give_back(first)
    assert kept.take() is first
    first.close()


def test_one_that_sqlalchemy_believes_in_a_transaction_is_not(engine: Engine) -> None:
    kept = KeptConnections(engine)
    first = kept.take()
    first.execute(text("SELECT 1"))
    kept.give_back(first)
    assert first.closed
    assert kept.take() is not first


def test_they_are_closed_with_the_engine(engine: Engine) -> None:
    kept = KeptConnections(engine)
    connection: Connection = kept.take()
    driver = connection.connection.driver_connection
    kept.give_back(connection)
    engine.dispose()
    assert connection.closed
    with pytest.raises(Exception, match="closed"):
        driver.execute("SELECT 1")  # type: ignore[union-attr]


def test_the_one_of_a_database_in_memory_is_kept_from_nobody() -> None:
    engine = open_engine(MEMORY)
    kept = KeptConnections(engine)
    connection = kept.take()
    kept.give_back(connection)
    assert connection.closed
    engine.dispose()

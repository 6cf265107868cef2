# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a role's database promise?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from muster_server.errors import Unavailable
from muster_server.store import engine as engine_module
from muster_server.store.config import ConfigStore
from muster_server.store.engine import database_url, open_engine, transaction
from muster_server.store.secrets import SecretBox


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
    engine = open_engine(database_url(tmp_path, "config"))
    yield engine
    engine.dispose()


def test_database_that_stays_locked_is_unavailable_for_a_moment(engine: Engine) -> None:
    store = ConfigStore(engine, SecretBox(bytes(32)))
    with engine.begin(), pytest.raises(Unavailable) as caught, store.transaction():
        pass
    assert caught.value.retry_s == 2


def test_who_comes_beside_a_server_is_told_in_words_that_it_is_busy(engine: Engine) -> None:
    with transaction(engine), pytest.raises(Unavailable, match="busy"), transaction(engine):
        pass
    with transaction(engine) as connection:
        connection.execute(text("SELECT 1"))


def test_block_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE press (id INTEGER PRIMARY KEY)"))
    with pytest.raises(RuntimeError), engine.begin() as connection:
        connection.execute(text("INSERT INTO press VALUES (4)"))
        raise RuntimeError
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM press")).scalar() == 0


def test_error_of_the_database_does_not_repeat_what_was_to_be_stored(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE press (id TEXT PRIMARY KEY)"))
    statement = text("INSERT INTO press VALUES (:id)")
    with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(statement, [{"id": "hunter2"}, {"id": "hunter2"}])
    assert "hunter2" not in str(caught.value)

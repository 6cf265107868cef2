# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does bringing a database forward promise?"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from muster_server.errors import StoreError
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import current_revision, migrate

FIRST = """
from alembic import op
from sqlalchemy import Column, Integer

revision = "0001"
down_revision = None

def upgrade() -> None:
    op.create_table("press", Column("id", Integer, primary_key=True))
"""
SECOND = """
from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"

def upgrade() -> None:
    op.add_column("press", Column("name", Text))
"""
BROKEN = SECOND.replace('"0002"', '"0003"').replace('"0001"', '"0002"') + "    raise OSError\n"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(database_url(tmp_path, "config"))
    yield engine
    engine.dispose()


@pytest.fixture
def role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    name: str = "made_up_role_" + request.node.name.replace("[", "_").replace("]", "_")
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    for number, source in enumerate((FIRST, SECOND, BROKEN.replace("name", "size")), 1):
        (folder / f"{number:04}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_empty_database_is_brought_to_the_head(engine: Engine, role: str) -> None:
    migrate(engine, role, "0002")
    assert current_revision(engine) == "0002"
    assert [c["name"] for c in inspect(engine).get_columns("press")] == ["id", "name"]


def test_old_database_is_brought_forward_with_its_rows(engine: Engine, role: str) -> None:
    migrate(engine, role, "0001")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO press (id) VALUES (4)"))
    migrate(engine, role, "0002")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, name FROM press")).all() == [(4, None)]


def test_revision_that_fails_leaves_nothing_behind(engine: Engine, role: str) -> None:
    with pytest.raises(OSError):
        migrate(engine, role, "0003")
    assert current_revision(engine) == "0002"
    assert [c["name"] for c in inspect(engine).get_columns("press")] == ["id", "name"]


def test_database_of_a_newer_release_is_refused(engine: Engine, role: str) -> None:
    migrate(engine, role, "0002")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(StoreError, match="does not know"):
        migrate(engine, role, "0002")


def test_file_that_is_no_database_is_refused_by_its_name(tmp_path: Path, role: str) -> None:
    (tmp_path / "config.sqlite").write_bytes(b"not a database at all" * 100)
    engine = open_engine(database_url(tmp_path, "config"))
    with pytest.raises(StoreError, match=r"config\.sqlite cannot be used.*not a database"):
        migrate(engine, role, "0002")
    engine.dispose()


def test_alembic_is_not_loaded_when_there_is_nothing_to_do(
    engine: Engine, role: str, tmp_path: Path
) -> None:
    migrate(engine, role, "0002")
    program = (
        "import sys; from muster_server.store.engine import open_engine;"
        "from muster_server.store.migrations import migrate;"
        f"engine = open_engine({str(engine.url)!r}); migrate(engine, 'no.such.package', '0002');"
        "engine.dispose(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)

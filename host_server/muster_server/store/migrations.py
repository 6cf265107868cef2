# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Brings a role's database to the newest form at start, each revision in its own transaction.

Alembic takes 0.2 s to import, so it is loaded only when there is something to do.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from muster_server.errors import StoreError
from muster_server.store.engine import POSTGRES
from muster_server.store.postgres import migrating, unhurried


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at, e.g. "0001"; None if it is empty."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(engine: Engine, role_package: str, head: str) -> None:
    """Run what is missing from `<role_package>/migrations`, up to the revision `head`.

    A database that is already there is left untouched. One from a newer release is refused
    instead of being misread, and so is a file that is none: StoreError. Several processes may
    start at once: one of them migrates.
    """
    if engine.name == POSTGRES:
        with _reached():
            if current_revision(engine) != head:
                with migrating(engine):
                    _forward(engine, role_package, head)
        return
    try:
        _forward(engine, role_package, head)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        # The driver's own words, whether it was still opening the file or at work on it.
        reason = getattr(error, "orig", error)
        raise StoreError(
            f"{engine.url.database} cannot be used as a database ({reason}); restore a backup, or "
            "move it away to begin anew"
        ) from None


@contextmanager
def _reached() -> Iterator[None]:
    """StoreError in place of what the driver says of a server that does not let us in."""
    try:
        yield
    except DatabaseError as error:
        reason = " ".join(str(error.orig).split())
        raise StoreError(
            f"the store cannot be used ({reason}); see that PostgreSQL runs, and that --store or "
            "MUSTER_STORE names a database in which this user may make schemas"
        ) from None


def _forward(engine: Engine, role_package: str, head: str) -> None:
    current = current_revision(engine)
    if current != head:
        folder = Path(str(resources.files(role_package))) / "migrations"
        _upgrade(engine, folder, current, head)


def _upgrade(engine: Engine, folder: Path, current: str | None, head: str) -> None:
    # Late, because most starts have nothing to migrate.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    script = ScriptDirectory(str(folder), version_locations=[str(folder)])
    try:
        script.get_revision(current or head)
    except CommandError:
        raise StoreError(
            f"the database is at revision {current}, which this release does not know; "
            "start the newer release again, or restore a backup"
        ) from None

    def steps(revision: Any, context: MigrationContext) -> Any:
        return script._upgrade_revs(head, revision)

    opened = unhurried if engine.name == POSTGRES else Engine.connect
    with opened(engine) as connection:
        options = {"fn": steps, "transaction_per_migration": True, "transactional_ddl": True}
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context):
            context.run_migrations()

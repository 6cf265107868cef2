# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A role's database, for a command that works beside its server."""

from pathlib import Path

from sqlalchemy import Engine

from muster_server.errors import StoreError
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import current_revision

_SERVERS = {"config": "configuration server", "portal": "portal"}


def is_there(data: Path, role: str, store: str | None = None) -> bool:
    """Tell whether the role has a database, of whatever release."""
    if store is None:
        return (data / f"{role}.sqlite").exists()
    engine = open_engine(database_url(data, role, store))
    try:
        return current_revision(engine) is not None
    finally:
        engine.dispose()


def opened(data: Path, role: str, head: str, store: str | None = None) -> Engine:
    """Open the database of "config" or "portal", which the caller disposes of.

    Raises StoreError if it is of another release: to bring it forward is the server's work, not
    that of a command beside one that may be running.
    """
    engine = open_engine(database_url(data, role, store))
    revision = current_revision(engine)
    if revision != head:
        engine.dispose()
        raise StoreError(
            f"the database is at revision {revision}, and this release works with {head}; start "
            f"the {_SERVERS[role]} of this release once"
        )
    return engine

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's database, for a command that works beside the server."""

from pathlib import Path

from sqlalchemy import Engine

from muster_server.errors import StoreError
from muster_server.store.config_tables import HEAD
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import current_revision


def opened(data: Path) -> Engine:
    """Open the database, which the caller disposes of.

    Raises StoreError if it is of another release: to bring it forward is the server's work, not
    that of a command beside one that may be running.
    """
    engine = open_engine(database_url(data, "config"))
    revision = current_revision(engine)
    if revision != HEAD:
        engine.dispose()
        raise StoreError(
            f"the database is at revision {revision}, and this release works with {HEAD}; start "
            "the configuration server of this release once"
        )
    return engine

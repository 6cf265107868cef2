# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A secret that all processes at a role's schema have, and that no backup holds.

It lies in a table of PostgreSQL that is not logged, beside the numbers of another table: a crash
of the database makes another one, and so does a restoration.
"""

import secrets

from muster_server.store.sql import Sql, insertion

ABOUT = "epoch"  # what such a transaction is about
_KEY_BYTES = 32


def shared_secret(sql: Sql, table: str) -> bytes:
    """Return the secret that goes with the table as it is, e.g. "claim"; it is made if there is
    none.
    """
    # Both numbers are others when a table was dropped and restored, or emptied and filled.
    place = sql.value("SELECT ?::regclass::oid || '/' || pg_relation_filenode(?)", table, table)
    found = sql.value("SELECT secret FROM epoch WHERE place = ?", place)
    if found is not None:
        return bytes(found)
    sql.run("DELETE FROM epoch")
    made = secrets.token_bytes(_KEY_BYTES)
    sql.run(insertion("epoch", ("place", "secret")), place, made)
    return made

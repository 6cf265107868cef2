# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Secrets that wait to be fetched by the administrator, sealed; a part of the platform's rows."""

from typing import Any

import sqlalchemy as sa

from muster_server.store.sql import Sql, replacement

TABLE = "handed_on"
table = sa.Table(
    TABLE,
    sa.MetaData(),
    sa.Column("path", sa.String(512), primary_key=True),
    sa.Column("id", sa.String(16)),
    sa.Column("value", sa.LargeBinary),
    sa.Column("at", sa.Float),
)
_PUT = replacement(TABLE, ("path", "id", "value", "at"), "path")


class PlatformHandedOn:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def put(self, path: str, id_: str, sealed: bytes, at: float) -> None:
        """Keep it in place of a former one for the same object."""
        self._sql.run(_PUT, path, id_, sealed, at)

    def at(self, path: str) -> Any:
        """The row with `id`, `value` and `at` for this object, None if there is none."""
        return self._sql.row("SELECT id, value, at FROM handed_on WHERE path = ?", path)

    def remove(self, path: str, id_: str) -> None:
        """Forget it; a newer one stays."""
        self._sql.run("DELETE FROM handed_on WHERE path = ? AND id = ?", path, id_)

    def trim(self, before: float, newest: int) -> None:
        """Forget what has waited since before that, and the oldest of more than these."""
        kept = "SELECT path FROM handed_on ORDER BY at DESC, path LIMIT ?"
        self._sql.run(
            f"DELETE FROM handed_on WHERE at < ? OR path NOT IN ({kept})",  # noqa: S608
            before,
            newest,
        )

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The audit log's records: who did what, when, from where, and how it ended."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from muster_server.store.engine import Database
from muster_server.store.portal_tables import audit
from muster_server.store.sql import Sql, insertion

_SLICE = 500


@dataclass(frozen=True)
class Deed:
    """Something that somebody did, or was refused. No field holds a secret."""

    at: float
    who: str
    owner: str
    address: str
    deed: str
    about: str
    status: int


_DEED = tuple(Deed.__dataclass_fields__)
_ADD = insertion("audit", _DEED)


@dataclass(frozen=True)
class Line:
    """A deed with its number in the log."""

    id: int
    deed: Deed


class AuditStore:
    """Takes lines and shows them; nothing changes or removes one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, deed: Deed) -> None:
        """Write a line. Unavailable if the database is busy."""
        fields = vars(deed)
        with self._database.transaction(f"a line about {deed.about}") as connection:
            Sql(connection).run(_ADD, *[fields[name] for name in _DEED])

    def newest(self, limit: int, before: int | None = None) -> list[Line]:
        """Return lines, the newest first; with `before`, those before the one of this number."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        with self._database.reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [Line(row.pop("id"), Deed(**row)) for row in rows]

    def all(self) -> Iterator[Line]:
        """Return every line, the oldest first, some at a time."""
        after = 0
        while True:
            query = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(_SLICE)
            with self._database.reading() as connection:
                rows = [dict(row) for row in connection.execute(query).mappings()]
            for row in rows:
                after = row.pop("id")
                yield Line(after, Deed(**row))
            if len(rows) < _SLICE:
                return

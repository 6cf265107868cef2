# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The accounts that only read; a part of the configuration server's records."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select

from muster_server.store.config_tables import readers
from muster_server.store.secrets import SecretBox

# What this server itself reads with has a name that no person can give.
OWN = ":portal"


@dataclass(frozen=True)
class Reader:
    """An account at the platform that may read what its policy names."""

    owner: str
    name: str
    originator: str
    token: str | None = field(repr=False)  # None: somebody else has it
    created_at: float


class ReaderRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box

    def of_owner(self, owner: str) -> list[Reader]:
        """All that the owner has given out, by name."""
        query = select(readers).where(readers.c.owner == owner, readers.c.name != OWN)
        rows = self._connection.execute(query.order_by(readers.c.name)).mappings()
        return [self._reader(row) for row in rows]

    def get(self, owner: str, name: str) -> Reader | None:
        """The reader of this name."""
        row = self._connection.execute(select(readers).where(_same(owner, name))).mappings()
        found = row.first()
        return None if found is None else self._reader(found)

    def put(self, reader: Reader) -> None:
        """Keep it in place of one of the same name."""
        self.remove(reader.owner, reader.name)
        sealed = None
        if reader.token is not None:
            sealed = self._box.seal(reader.token.encode(), "reader", "token", _place(reader))
        values = {
            "owner": reader.owner,
            "name": reader.name,
            "originator": reader.originator,
            "token": sealed,
            "created_at": reader.created_at,
        }
        self._connection.execute(insert(readers).values(values))

    def remove(self, owner: str, name: str) -> None:
        """Forget it."""
        self._connection.execute(delete(readers).where(_same(owner, name)))

    def _reader(self, row: RowMapping) -> Reader:
        reader = Reader(row["owner"], row["name"], row["originator"], None, row["created_at"])
        if row["token"] is None:
            return reader
        token = self._box.open(row["token"], "reader", "token", _place(reader)).decode()
        return Reader(reader.owner, reader.name, reader.originator, token, reader.created_at)


def _place(reader: Reader) -> str:
    return f"{reader.owner}/{reader.name}/{reader.originator}"


def _same(owner: str, name: str) -> ColumnElement[bool]:
    return (readers.c.owner == owner) & (readers.c.name == name)

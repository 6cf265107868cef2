# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The accounts that only read; a part of the configuration server's records."""

from dataclasses import dataclass, field

from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Row, Sql, replacement

# What this server itself reads and commands with has a name that no person can give.
OWN, OWN_APPLICATION = ":portal", ":commands"


@dataclass(frozen=True)
class Reader:
    """An account at the platform that may read what its policy names."""

    owner: str
    name: str
    originator: str
    token: str | None = field(repr=False)  # None: somebody else has it
    created_at: float


_COLUMNS = tuple(Reader.__dataclass_fields__)
_LISTED = ", ".join(_COLUMNS)
_OF_OWNER = f"SELECT {_LISTED} FROM reader WHERE owner = ? AND name NOT LIKE ':%' ORDER BY name"  # noqa: S608
_ONE = f"SELECT {_LISTED} FROM reader WHERE owner = ? AND name = ?"  # noqa: S608 - our own names
_PUT = replacement("reader", _COLUMNS, "owner", "name")


class ReaderRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, box: SecretBox) -> None:
        self._sql = sql
        self._box = box

    def of_owner(self, owner: str) -> list[Reader]:
        """All that the owner has given out, by name."""
        return [self._reader(row) for row in self._sql.rows(_OF_OWNER, owner)]

    def get(self, owner: str, name: str) -> Reader | None:
        """The reader of this name."""
        row = self._sql.row(_ONE, owner, name)
        return None if row is None else self._reader(row)

    def put(self, reader: Reader) -> None:
        """Keep it in place of one of the same name."""
        sealed = None
        if reader.token is not None:
            sealed = self._box.seal(reader.token.encode(), "reader", "token", _place(reader))
        self._sql.run(
            _PUT, reader.owner, reader.name, reader.originator, sealed, reader.created_at
        )

    def remove(self, owner: str, name: str) -> None:
        """Forget it."""
        self._sql.run("DELETE FROM reader WHERE owner = ? AND name = ?", owner, name)

    def _reader(self, row: Row) -> Reader:
        reader = Reader(row["owner"], row["name"], row["originator"], None, row["created_at"])
        if row["token"] is None:
            return reader
        token = self._box.open(row["token"], "reader", "token", _place(reader)).decode()
        return Reader(reader.owner, reader.name, reader.originator, token, reader.created_at)


def _place(reader: Reader) -> str:
    return f"{reader.owner}/{reader.name}/{reader.originator}"

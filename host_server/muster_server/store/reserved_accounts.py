# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts that the next claims get; a part of the configuration server's records."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from muster_server.store.sql import Sql, insertion


@dataclass(frozen=True)
class Reserved:
    """An account that a platform may be asked for, with the id of its first token. As long as it
    is written down, nobody's device has it.
    """

    originator: str = field(repr=False)
    token_id: str


_COLUMNS = tuple(Reserved.__dataclass_fields__)
_ADD = insertion("reserved_account", _COLUMNS)


class ReservedAccounts:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def all(self) -> list[Reserved]:
        """All that are written down."""
        rows = self._sql.rows("SELECT originator, token_id FROM reserved_account")
        return [Reserved(*row) for row in rows]

    def add(self, reserved: Iterable[Reserved]) -> None:
        """Write them down."""
        self._sql.run_many(_ADD, ((each.originator, each.token_id) for each in reserved))

    def use(self, reserved: Reserved) -> None:
        """A claim has it from now on."""
        text = "DELETE FROM reserved_account WHERE originator = ?"
        self._sql.run(text, reserved.originator)

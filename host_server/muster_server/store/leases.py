# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Leases: which of several workers does what only one may do; a part of the records."""

from muster_server.store.sql import Sql

_TAKE = (
    "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
    " SET holder = excluded.holder, until = excluded.until"
    " WHERE lease.until < ? OR lease.holder = excluded.holder"
)


class LeaseRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def take(self, name: str, holder: str, now: float, life_s: float) -> bool:
        """Take or renew the lease; whether the holder has it, and keeps it to this transaction's
        end: nobody else can have done in between what the same transaction goes on with.
        """
        return self._sql.run(_TAKE, name, holder, now + life_s, now) == 1

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Values on their way to PostgreSQL and back, as SQLite takes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import postgres
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.types.string import StrDumperUnknown

from muster_server.store.rows import NamedRow, shaped


class _Text(StrDumperUnknown):
    """Text without NUL, which PostgreSQL does not take: U+FFFD stands in its place."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


class _Flag(Dumper):
    """A claim as 0 or 1."""

    oid = postgres.types["int8"].oid

    def dump(self, obj: bool) -> bytes:  # noqa: FBT001 - psycopg's interface
        return b"1" if obj else b"0"


@lru_cache(1)
def adapted() -> Any:
    """Return what a connection needs to take values as SQLite does."""
    values = AdaptersMap(psycopg.adapters)
    values.register_dumper(str, _Text)
    values.register_dumper(bool, _Flag)
    return _Context(values)


class _Context:
    connection = None

    def __init__(self, adapters: AdaptersMap) -> None:
        self.adapters = adapters


def named_rows(cursor: Any) -> Any:
    """A row factory of psycopg: rows that know their columns' names."""
    found = cursor.pgresult
    if found is None or not found.nfields:
        return NamedRow
    return shaped(tuple(found.fname(place).decode() for place in range(found.nfields)))


@contextmanager
def ended_within(cursor: Any, seconds: float, late: type[Exception]) -> Iterator[None]:
    """End a question of this transaction that takes longer; raises `late` then."""
    cursor.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
    try:
        yield
    except psycopg.errors.QueryCanceled:
        # The transaction has ended with its question: there is nothing to set back.
        raise late(f"more than {seconds:.0f} s") from None
    cursor.execute("SET LOCAL statement_timeout = DEFAULT")

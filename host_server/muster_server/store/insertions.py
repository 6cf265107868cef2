# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Several rows in one statement: each statement gives up the interpreter's lock and wants it back,
which costs more than most rows.
"""

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any

from muster_server.store.sql import Sql, insertion, marks

# Few kinds, so that the driver keeps all of them prepared; the largest has 192 values. What comes
# with one request is one statement, mostly.
_AT_ONCE = (16, 8, 7, 6, 5, 4, 3, 2, 1)


class Insertion:
    """The statements that add rows with these columns, in their order."""

    def __init__(self, table: str, columns: Iterable[str], tail: str = "") -> None:
        """`tail` follows the values, e.g. "ON CONFLICT DO NOTHING"."""
        names = tuple(columns)
        more = f", ({marks(names)})"
        first = insertion(table, names)
        self._texts = {n: f"{first}{more * (n - 1)} {tail}".rstrip() for n in _AT_ONCE}

    def run(self, sql: Sql, rows: Collection[tuple[Any, ...]]) -> int:
        """Add them; how many were added."""
        rows = list(rows)
        left, added = len(rows), 0
        if left in self._texts:
            return sql.run(self._texts[left], *chain.from_iterable(rows))
        for n in _AT_ONCE:
            while left >= n:
                some = rows[-left:][:n]
                added += sql.run(self._texts[n], *chain.from_iterable(some))
                left -= n
        return added

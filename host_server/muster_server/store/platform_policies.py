# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The index of policies and groups by those whom they name; a part of the platform's rows.

It stands among the marks: for a policy "pv2" and "pv32" with each originator or group that may
retrieve or discover what it governs, "pv2*" and "pv32*" with patterns; for a resource that names
policies "acpi" with each; for a group "mid" with each member. A container whose instances are not
to be retrieved has "disr".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from muster_server.store.sql import Sql, marks

_marks = sa.Table(
    "marks",
    sa.MetaData(),
    sa.Column("ri", sa.String(64)),
    sa.Column("kind", sa.String(8)),
    sa.Column("value", sa.String(256)),
)
_LISTS = ("lbl", "hael", "acpi", "mid")
_MARKED = frozenset({*_LISTS, "disr", "pv"})
_SEEING = (2, 32)  # retrieve, discover
_DEEPEST = 4  # groups within groups
_MOST_NAMES = 256

EVERYBODY = "all"
RETRIEVAL_DISABLED = "disr"


def marks_of(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and value of each mark of a resource with these attributes."""
    if _MARKED.isdisjoint(attributes):
        return
    for kind in _LISTS:
        for value in attributes.get(kind, ()):
            yield kind, value
    if attributes.get("disr"):
        yield RETRIEVAL_DISABLED, ""
    for rule in attributes.get("pv", {}).get("acr", ()):
        if "acod" in rule:
            continue  # whoever is allowed only some types is not shown what he might not see
        for operation in _SEEING:
            if rule["acop"] & operation:
                for name in rule["acor"]:
                    yield f"pv{operation}{'*' if '*' in name else ''}", name


def opened_to(names: Iterable[str], originator: str, operation: int) -> sa.ColumnElement[Any]:
    """Ids of the resources whose policies let these names see what is governed by them, as a part
    of another question.
    """
    column = _marks.c
    named = (column.kind == f"pv{operation}") & column.value.in_(sorted(names))
    fits = sa.func.glob(column.value, originator, type_=sa.Boolean)
    policies = sa.select(column.ri).where(named | ((column.kind == f"pv{operation}*") & fits))
    naming = _marks.alias("naming")
    return sa.select(naming.c.ri).where(naming.c.kind == "acpi", naming.c.value.in_(policies))  # type: ignore[return-value]


class PlatformPolicies:
    """Questions within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def names_of(self, originator: str) -> frozenset[str]:
        """The originator, everybody, and the groups that it is in, directly or by way of others.

        Groups that hold each other end the search as any that was seen before.
        """
        names, newest = {originator, EVERYBODY}, {originator}
        for _ in range(_DEEPEST):
            listed = sorted(newest)
            text = (
                f"SELECT ri FROM marks WHERE kind = 'mid' AND value IN ({marks(listed)}) LIMIT ?"  # noqa: S608
            )
            found = self._sql.rows(text, *listed, _MOST_NAMES)
            newest = {str(row["ri"]) for row in found} - names
            if not newest or len(names) > _MOST_NAMES:
                break
            names |= newest
        return frozenset(names)

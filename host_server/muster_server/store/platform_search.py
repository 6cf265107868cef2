# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Searches for resources: which of those under one fit, as a part of a question.

Times compare as their text; see platform_server/timestamps.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

_FOR_EVER = "99991231T235959"
# The order of what is found, as indexes of the resources have it: uppermost first, then oldest,
# but of content instances (4) the newest first.
DEPTH: sa.ColumnElement[int] = sa.literal_column(
    "(length(path) - length(replace(path, '/', '')))", sa.Integer
)
AGE: sa.ColumnElement[int] = sa.literal_column(
    "(CASE WHEN ty = 4 THEN -seq ELSE seq END)", sa.Integer
)
_COLUMNS = ("rn", "ri", "pi", "ct", "lt", "et")


@dataclass(frozen=True)
class Filter:
    """The resources of a subtree that are wanted."""

    types: frozenset[int] = frozenset()  # empty: all
    labels: frozenset[str] = frozenset()  # any of these; empty: all
    # Name and value of each further condition, e.g. ("cra", "20261123T075904"), ("cni", "5"),
    # ("con", "a*"). Values of the same name are alternatives.
    conditions: tuple[tuple[str, str], ...] = ()
    is_any_enough: bool = False  # of types, labels and conditions, in place of all
    levels: int | None = None
    limit: int | None = None
    offset: int = 0  # so many are passed over
    below: str = ""  # in place of what fits, what lies at this path below it


def _attribute(column: Any, name: str) -> Any:
    if name in _COLUMNS:
        return column[name]
    return sa.func.json_extract(column.attributes, f"$.{name}")


def _number(column: Any, name: str) -> Any:
    return sa.cast(_attribute(column, name), sa.BigInteger)


def _alike(column: Any, name: str, value: str) -> Any:
    text = sa.cast(_attribute(column, name), sa.Text)
    if "*" not in value:
        return text == value
    return sa.func.glob(value.replace("[", "[[]").replace("?", "[?]"), text, type_=sa.Boolean)


def _end(column: Any) -> Any:
    return sa.func.coalesce(column.et, _FOR_EVER)


_CONDITIONS: Mapping[str, Callable[[Any, str], Any]] = {
    "crb": lambda column, value: column.ct < value,
    "cra": lambda column, value: column.ct > value,
    "ms": lambda column, value: column.lt > value,
    "us": lambda column, value: column.lt < value,
    "exb": lambda column, value: _end(column) < value,
    "exa": lambda column, value: _end(column) > value,
    "sts": lambda column, value: _number(column, "st") < int(value),
    "stb": lambda column, value: _number(column, "st") > int(value),
    "sza": lambda column, value: _number(column, "cs") >= int(value),
    "szb": lambda column, value: _number(column, "cs") < int(value),
    "cty": lambda column, value: _attribute(column, "cnf") == value,
}
NAMES = tuple(_CONDITIONS)


def fitting(column: Any, marks: Any, wanted: Filter) -> Any:
    """The condition that type, labels and conditions fit; None if all do."""
    parts = []
    if wanted.types:
        parts.append(column.ty.in_(wanted.types))
    if wanted.labels:
        marked = sa.select(marks.ri).where(marks.kind == "lbl", marks.value.in_(wanted.labels))
        parts.append(column.ri.in_(marked))
    by_name: dict[str, list[Any]] = {}
    for name, value in wanted.conditions:
        own = _CONDITIONS.get(name)
        one = own(column, value) if own else _alike(column, name, value)
        by_name.setdefault(name, []).append(one)
    parts += [sa.or_(*alternatives) for alternatives in by_name.values()]
    if not parts:
        return None
    return sa.or_(*parts) if wanted.is_any_enough else sa.and_(*parts)

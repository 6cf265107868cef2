# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Rows as statements find them: values in order, and by the name of their column."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

_SHAPES = 512


class Row(Protocol):
    """One row: `row["name"]`, `row[0]`, `dict(row)`, `tuple(row)`. As sqlite3 has it."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def __len__(self) -> int: ...

    def keys(self) -> Iterable[str]: ...


class NamedRow(tuple[Any, ...]):
    """Such a row of another driver than sqlite3."""

    __slots__ = ()
    _places: dict[str, int] = {}  # of each shape its own

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self._places[key] if isinstance(key, str) else key)

    def keys(self) -> Iterable[str]:
        """The names of the columns, in order."""
        return self._places.keys()


@lru_cache(_SHAPES)
def shaped(names: tuple[str, ...]) -> Callable[[Iterable[Any]], NamedRow]:
    """Return what makes rows with these columns of their values."""
    places = {name: place for place, name in enumerate(names)}
    return type("Row", (NamedRow,), {"__slots__": (), "_places": places})

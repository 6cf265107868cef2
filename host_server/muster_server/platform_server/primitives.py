# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M requests and responses as typed values, independent of the binding (TS-0004 6.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Operation(Enum):
    CREATE = "create"
    RETRIEVE = "retrieve"
    UPDATE = "update"
    DELETE = "delete"


class Content(Enum):
    """Result content (rcn)."""

    NOTHING = 0
    ATTRIBUTES = 1
    ADDRESS = 2
    WITH_CHILDREN = 4
    WITH_CHILD_REFERENCES = 5
    CHILD_REFERENCES = 6
    CHILDREN = 8
    CHANGED = 9


ALLOWED_CONTENT: Mapping[Operation, tuple[Content, ...]] = {
    # the first is the default
    Operation.CREATE: (Content.ATTRIBUTES, Content.NOTHING, Content.ADDRESS, Content.CHANGED),
    Operation.RETRIEVE: (
        Content.ATTRIBUTES,
        Content.WITH_CHILDREN,
        Content.WITH_CHILD_REFERENCES,
        Content.CHILD_REFERENCES,
        Content.CHILDREN,
    ),
    Operation.UPDATE: (Content.ATTRIBUTES, Content.NOTHING, Content.CHANGED),
    Operation.DELETE: (Content.NOTHING, Content.ATTRIBUTES),
}


@dataclass(frozen=True)
class Filter:
    """The resources of a subtree that are wanted."""

    types: frozenset[int] = frozenset()  # empty: all
    labels: frozenset[str] = frozenset()  # any of these; empty: all
    levels: int | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Request:
    operation: Operation
    to: str  # CSE-relative "cse-in/x" or "Cab12", or SP-relative "/id-in/…"
    originator: str
    release: str  # of oneM2M, e.g. "4"
    content: Content
    ty: int | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    is_discovery: bool = False
    wants_ids: bool = False  # discovery gives unstructured addresses
    filter: Filter = field(default_factory=Filter)


@dataclass(frozen=True)
class Response:
    rsc: int
    document: Any = None
    is_partial: bool = False  # there was more than the limit

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M requests and responses as typed values, independent of the binding (TS-0004 6.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from muster_server.store.platform_search import Filter


class Operation(Enum):
    CREATE = "create"
    RETRIEVE = "retrieve"
    UPDATE = "update"
    DELETE = "delete"


class ResponseType(Enum):
    """Response type (rt): whether an answer comes now, later, or not at all."""

    SYNCHRONOUS = 1  # later, by a <request>
    ASYNCHRONOUS = 2  # later, by a <request> and a notification
    BLOCKING = 3
    NONE = 4
    FLEXIBLE = 5  # as the platform likes, which is blocking


class Content(Enum):
    """Result content (rcn)."""

    NOTHING = 0
    ATTRIBUTES = 1
    ADDRESS = 2
    ADDRESS_AND_ATTRIBUTES = 3
    WITH_CHILDREN = 4
    WITH_CHILD_REFERENCES = 5
    CHILD_REFERENCES = 6
    CHILDREN = 8
    CHANGED = 9
    ADDRESSES = 11


ALLOWED_CONTENT: Mapping[Operation, tuple[Content, ...]] = {
    # the first is the default
    Operation.CREATE: (
        Content.ATTRIBUTES,
        Content.NOTHING,
        Content.ADDRESS,
        Content.ADDRESS_AND_ATTRIBUTES,
        Content.CHANGED,
    ),
    Operation.RETRIEVE: (
        Content.ATTRIBUTES,
        Content.WITH_CHILDREN,
        Content.WITH_CHILD_REFERENCES,
        Content.CHILD_REFERENCES,
        Content.CHILDREN,
        Content.ADDRESSES,
    ),
    Operation.UPDATE: (Content.ATTRIBUTES, Content.NOTHING, Content.CHANGED),
    Operation.DELETE: (
        Content.NOTHING,
        Content.ATTRIBUTES,
        Content.WITH_CHILDREN,
        Content.WITH_CHILD_REFERENCES,
        Content.CHILD_REFERENCES,
        Content.CHILDREN,
    ),
}
# What a discovery may answer; the first is the default.
DISCOVERED = (Content.ADDRESSES, Content.CHILD_REFERENCES)


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
    verified: frozenset[str] = frozenset()  # URLs that want to be notified
    new_id: str | None = None  # of the resource, as it was told to those
    attributes: frozenset[str] = frozenset()  # the only ones that are wanted; empty: all
    response_type: ResponseType = ResponseType.BLOCKING
    persistence: str | None = None  # for how long, or until when, a result is wanted

    @property
    def searches(self) -> bool:
        """Tell whether it may look at many resources."""
        is_one = self.content in (Content.ATTRIBUTES, Content.NOTHING)
        return self.operation is Operation.RETRIEVE and not is_one


@dataclass(frozen=True)
class Response:
    rsc: int
    document: Any = None
    is_partial: bool = False  # there was more than the limit
    next_offset: int | None = None  # with which the rest can be asked for
    place: str | None = None  # the address of what was created
    # What is for the administrator alone, and the path of the object it was written to.
    handed_on: tuple[str, Any] | None = field(default=None, repr=False)

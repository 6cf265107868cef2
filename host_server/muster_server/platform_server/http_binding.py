# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M over HTTP with JSON (TS-0009): from request to primitive, from result to response.

Not for rules: those are in service.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from muster_server.platform_server import filters, serialization
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.addressing import CSE, from_http_path
from muster_server.platform_server.primitives import (
    ALLOWED_CONTENT,
    DISCOVERED,
    Content,
    Operation,
    Request,
    Response,
    ResponseType,
)
from muster_server.platform_server.service import SUPPORTED_RELEASES
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.platform_search import Filter

OPERATIONS = {
    "POST": Operation.CREATE,
    "GET": Operation.RETRIEVE,
    "HEAD": Operation.RETRIEVE,  # the server leaves the body out
    "PUT": Operation.UPDATE,
    "DELETE": Operation.DELETE,
}
_WITH_BODY = (Operation.CREATE, Operation.UPDATE)
_QUERY_NAMES = ("rcn", "fu", "drt", "atrl", "rt", "rp", *filters.NAMES)
# What oneM2M has besides as result content. 7, the original of an announced resource, is wrong
# everywhere here: nothing is announced.
_ELSEWHERE = {"10": "semantic queries are not here", "12": "permissions are not told"}
_RESPONSE_TYPES = tuple(str(response_type.value) for response_type in ResponseType)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_MILLISECONDS = re.compile(r"[0-9.]{1,16}", re.ASCII)

_KNOWN, _SHORT = 512, 64  # queries and types that are kept, and how long they may be

Headers = Mapping[str, str]  # with names in lower case


def parse(method: str, path: str, query: str, headers: Headers, body: bytes, cse: CSE) -> Request:
    """The request; BadRequest, VersionNotSupported, OperationNotAllowed or NotImplementedHere say
    which part of it is wrong, or not to be had here.
    """
    if not _REQUEST_ID.fullmatch(headers.get("x-m2m-ri", "")):
        raise codes.BadRequest("X-M2M-RI: required, 1 to 64 visible characters")
    if headers.get("x-m2m-rvi") not in SUPPORTED_RELEASES:
        releases = ", ".join(SUPPORTED_RELEASES)
        raise codes.VersionNotSupported(f"X-M2M-RVI: required, one of {releases}")
    if "x-m2m-origin" not in headers:
        raise codes.BadRequest("X-M2M-Origin: required, and missing")
    operation = OPERATIONS.get(method)
    if operation is None:
        raise codes.OperationNotAllowed(f"{method}: wanted one of {', '.join(OPERATIONS)}")
    has_content = operation in _WITH_BODY and body
    is_short = len(query) <= _SHORT
    content_type = headers.get("content-type", "")
    type_of = _known_type if len(content_type) <= _SHORT else _type_of_content
    ty = type_of(content_type, operation) if has_content else None
    wanted = (_known_wanted if is_short else _wanted)(query, operation)
    document = _document(body, content_type) if operation in _WITH_BODY else {}
    looked_for = (_known_looked_for if is_short else _looked_for)(query)
    return Request(
        operation=operation,
        to=from_http_path(unquote(path)),
        originator=headers["x-m2m-origin"].removeprefix(f"/{cse.id}/"),
        release=headers["x-m2m-rvi"],
        content=wanted.content,
        ty=ty,
        document=document,
        is_discovery=wanted.is_discovery,
        wants_ids=looked_for.wants_ids,
        filter=looked_for.filter,
        attributes=looked_for.attributes,
        response_type=wanted.response_type,
        persistence=looked_for.persistence,
    )


@dataclass(frozen=True)
class _Wanted:
    """The kind of answer that a query asks for."""

    content: Content
    is_discovery: bool
    response_type: ResponseType


@dataclass(frozen=True)
class _LookedFor:
    """The rest of it, of which nothing is looked at before the body."""

    wants_ids: bool
    filter: Filter
    attributes: frozenset[str]
    persistence: str | None


def _wanted(query: str, operation: Operation) -> _Wanted:
    parameters = _parameters(query)
    response_type = _one_of(parameters, "rt", _RESPONSE_TYPES) or "3"
    is_discovery = _one_of(parameters, "fu", ("1", "2")) == "1"
    content = _content(operation, parameters.get("rcn"), is_discovery=is_discovery)
    return _Wanted(content, is_discovery, ResponseType(int(response_type)))


def _looked_for(query: str) -> _LookedFor:
    parameters = _parameters(query)
    return _LookedFor(
        wants_ids=_one_of(parameters, "drt", ("1", "2")) == "2",
        filter=filters.parse(parameters),
        attributes=_wanted_attributes(parameters),
        persistence=parameters.get("rp", [None])[0],
    )


# Devices ask the same few things again and again.
_known_wanted = lru_cache(_KNOWN)(_wanted)
_known_looked_for = lru_cache(_KNOWN)(_looked_for)


def bearer_token(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def rendered(headers: Headers, answer: Response, now_s: float) -> tuple[dict[str, str], bytes]:
    """Headers and body of the response to a request that had these headers."""
    about = {"X-M2M-RSC": str(answer.rsc), "X-M2M-OT": timestamp(now_s)}
    if _REQUEST_ID.fullmatch(headers.get("x-m2m-ri", "")):
        about["X-M2M-RI"] = headers["x-m2m-ri"]
    if headers.get("x-m2m-rvi") in SUPPORTED_RELEASES:
        about["X-M2M-RVI"] = headers["x-m2m-rvi"]
    if _MILLISECONDS.fullmatch(headers.get("x-m2m-rst", "")):
        about["X-M2M-RST"] = headers["x-m2m-rst"]
    if answer.is_partial:
        about["X-M2M-CTS"] = "1"
    if answer.next_offset is not None:
        about["X-M2M-CTO"] = str(answer.next_offset)
    if answer.place is not None:
        about["Content-Location"] = answer.place
    if answer.document is None:
        return about, b""
    asked_in = serialization.media_type_of(headers.get("content-type", ""))
    media_type = serialization.accepted(headers.get("accept", ""), asked_in)
    about["Content-Type"] = media_type
    return about, serialization.encoded(answer.document, media_type)


def _type_of_content(content_type: str, operation: Operation) -> int | None:
    _, *parameters = (part.strip() for part in content_type.split(";"))
    if serialization.media_type_of(content_type) not in serialization.MEDIA_TYPES:
        wanted = ", ".join(serialization.MEDIA_TYPES)
        raise codes.BadRequest(f"Content-Type: wanted one of {wanted}")
    types = [text[3:] for text in parameters if text.startswith("ty=")]
    if not types:
        return None
    if operation is not Operation.CREATE:
        raise codes.BadRequest("Content-Type: ty belongs to a creation only")
    if not _NUMBER.fullmatch(types[0]):
        raise codes.BadRequest("Content-Type: ty is a number")
    return int(types[0])


def _parameters(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=32, errors="strict")
    except ValueError:
        raise codes.BadRequest("the query part of the address cannot be read") from None
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in _QUERY_NAMES and name not in filters.ATTRIBUTES:
            known = ", ".join(_QUERY_NAMES)
            raise codes.BadRequest(f"{name[:32]}: wanted {known}, or an attribute to compare")
        parameters.setdefault(name, []).append(value)
    return parameters


def _wanted_attributes(parameters: Mapping[str, list[str]]) -> frozenset[str]:
    words = [word for text in parameters.get("atrl", []) for word in text.split()]
    unknown = [word for word in words if word not in filters.SHOWN]
    if unknown:
        raise codes.BadRequest(f"atrl: {unknown[0][:32]} is no attribute")
    return frozenset(words)


def _content(operation: Operation, given: list[str] | None, *, is_discovery: bool) -> Content:
    allowed = DISCOVERED if is_discovery else ALLOWED_CONTENT[operation]
    if operation is Operation.RETRIEVE and not is_discovery:
        allowed = tuple(content for content in allowed if content is not Content.ADDRESSES)
    if given is None:
        return allowed[0]
    for content in allowed:
        if given[0] == str(content.value):
            return content
    if given[0] in _ELSEWHERE and operation is Operation.RETRIEVE and not is_discovery:
        raise codes.NotImplementedHere(f"rcn {given[0]}: {_ELSEWHERE[given[0]]}")
    wanted = ", ".join(str(content.value) for content in allowed)
    raise codes.BadRequest(f"rcn: wanted one of {wanted} for {operation.value}")


def _one_of(parameters: Mapping[str, list[str]], name: str, wanted: tuple[str, ...]) -> str | None:
    if name not in parameters:
        return None
    if parameters[name][0] not in wanted:
        raise codes.BadRequest(f"{name}: wanted one of {', '.join(wanted)}")
    return parameters[name][0]


def _document(body: bytes, content_type: str) -> dict[str, Any]:
    media_type = _known_media_type if len(content_type) <= _SHORT else serialization.media_type_of
    return serialization.decoded(body, media_type(content_type))


# As above.
_known_type = lru_cache(_KNOWN)(_type_of_content)
_known_media_type = lru_cache(_KNOWN)(serialization.media_type_of)

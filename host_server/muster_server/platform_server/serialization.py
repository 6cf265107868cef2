# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Documents as bytes, in JSON and in CBOR (TS-0004 8.3, 8.4): what comes is checked, what goes is
compact.

Both carry the same documents: objects with texts as names, lists, texts, numbers, true, false and
null. What CBOR has besides (bytes, tags, references) is refused.
"""

import json
import math
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import cbor2

from muster_server.document import compact_json
from muster_server.platform_server.response_codes import BadRequest

NESTING = 32  # far from where Python's own limit would strike while storing or answering
_LARGEST = 2**64
_OUTER = (dict, list)  # as they are read from JSON, and no kinds of them
JSON, CBOR = "JSON", "CBOR"
MEDIA_TYPES: Mapping[str, str] = {
    "application/json": JSON,
    "application/vnd.onem2m-res+json": JSON,
    "application/cbor": CBOR,
    "application/vnd.onem2m-res+cbor": CBOR,
}
DEFAULT = "application/json"


def media_type_of(header: str) -> str:
    """The media type in a Content-Type, without its parameters."""
    return header.partition(";")[0].strip().lower()


def decoded(body: bytes, media_type: str) -> dict[str, Any]:
    """The document; BadRequest if the body is none, or has parts that no document has."""
    if not body:
        raise BadRequest("a body is required, and missing")
    form = MEDIA_TYPES.get(media_type, JSON)
    document = _READERS[form](body)
    if not isinstance(document, dict):
        raise BadRequest(f"the body: wanted a {form} object")
    if form == JSON and _may_be_deep(body) and _depth(document) > NESTING:
        raise BadRequest(f"the body: wanted at most {NESTING} levels of nesting")
    return document


def encoded(document: Any, media_type: str) -> bytes:
    """The document as bytes."""
    if MEDIA_TYPES.get(media_type) == CBOR:
        packed: bytes = cbor2.dumps(document)
        return packed
    return compact_json(document).encode()


def accepted(accept: str, asked_in: str = DEFAULT) -> str:
    """The media type that is asked for first of those that there are here; if none is, the one
    that the request was written in.
    """
    wanted = [media_type_of(part) for part in accept.split(",")]
    fallback = asked_in if asked_in in MEDIA_TYPES else DEFAULT
    return next((name for name in wanted if name in MEDIA_TYPES), fallback)


def _from_json(body: bytes) -> Any:
    try:
        document = _FROM_JSON.decode(body.decode())
        if b"\\u" in body:
            # An escaped half of a surrogate pair is JSON, but no text that could be sent back.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON in UTF-8") from None
    return document


def _from_cbor(body: bytes) -> Any:
    stream = BytesIO(body)
    try:
        document = cbor2.load(
            stream,
            semantic_decoders={},
            tag_hook=_no_tag,
            max_depth=NESTING + 1,
            strict_hashable_types=True,
            allow_duplicate_keys=False,
        )
        if stream.read(1):
            raise ValueError("something after the end")
        _check_plain(document, len(body))
    except (cbor2.CBORDecodeError, ValueError, RecursionError, OverflowError):
        raise BadRequest(
            f"the body is no CBOR of texts, numbers, lists and objects in {NESTING} levels"
        ) from None
    return document


_READERS: Mapping[str, Callable[[bytes], Any]] = {JSON: _from_json, CBOR: _from_cbor}


def _no_tag(*ignored: Any) -> Any:
    raise ValueError("a tag")


def _check_plain(document: Any, budget: int) -> None:
    """Check that a CBOR document holds what JSON can hold.

    Raises ValueError if not, or if it is more than its bytes can say: then a part is meant
    several times, and what is small here would be large once it is written out.
    """
    left, waiting = budget, [(document, 1)]
    while waiting:
        item, level = waiting.pop()
        left -= 1 + (len(item) if isinstance(item, str) else 0)
        if left < 0 or level > NESTING + 1:
            raise ValueError("too much")
        if isinstance(item, dict):
            if not all(isinstance(name, str) for name in item):
                raise ValueError("a name that is no text")
            waiting += [(inner, level + 1) for pair in item.items() for inner in pair]
        elif isinstance(item, list):
            waiting += [(inner, level + 1) for inner in item]
        elif not _is_plain(item):
            raise ValueError(type(item).__name__)


def _is_plain(item: Any) -> bool:
    if isinstance(item, str):
        item.encode()  # half a surrogate pair is no text
        return True
    if isinstance(item, float):
        return math.isfinite(item)
    return item is None or (isinstance(item, int) and -_LARGEST < item < _LARGEST)


def _may_be_deep(body: bytes) -> bool:
    """Tell whether there are brackets enough for it."""
    return body.count(b"{") + body.count(b"[") > NESTING


def _depth(document: Any) -> int:
    """Count the levels of lists and objects, without recursion."""
    depth, level = 0, [document]
    while level:
        depth += 1
        level = [
            item
            for outer in level
            for item in (outer.values() if type(outer) is dict else outer)
            if type(item) in _OUTER
        ]
    return depth


def _refused(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_FROM_JSON = json.JSONDecoder(parse_constant=_refused, parse_float=_finite)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Typed reading of JSON documents: an error names the path of what is wrong, never the value."""

import json
import math
from collections.abc import Iterator
from json import encoder
from typing import Any, TypeVar

from muster_server.errors import Invalid

T = TypeVar("T", str, int, bool, list[Any], dict[str, Any])

# Both sides of the wire hold it exactly, and so does every database.
LARGEST_INT = 2**53 - 1
# What a device can hold: its floats have single precision, and what is larger becomes infinite.
_LARGEST_FRACTION = 3.4e38
_LARGEST_ON_DEVICE = 2**63 - 1
# Far more than any document needs, and what every writer of JSON can write.
DEEPEST = 64
_LONGEST_PATH = 200
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
# What `_COMPACT.encode` makes anew each time, which takes as long as to write a small document.
_WRITTEN = encoder.c_make_encoder(  # type: ignore[attr-defined] # not in typeshed
    None, _COMPACT.default, encoder.encode_basestring, None, ":", ",", False, False, True
)

_NAMES: dict[type, str] = {
    str: "text",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    float: "a fraction",
    type(None): "null",
}


def compact_json(document: Any) -> str:
    """JSON as it goes over the wire and as sizes are counted."""
    return "".join(_WRITTEN(document, 0))


def parse_json(text: bytes | str) -> Any:
    """The document; Invalid with an empty path if the text is not JSON in UTF-8, and with the
    path of what no other side could take: a number that is none (NaN, Infinity, 1e400), text
    that UTF-8 cannot carry, or what is nested too deeply to be written again.
    """
    try:
        document, is_in_doubt = _looked_through(text)
    except (ValueError, RecursionError):
        raise Invalid("not JSON", path="") from None
    if not is_in_doubt:
        return document
    for place, value in _values(document, ""):
        if place.depth > DEEPEST:
            raise wrong(str(place), f"nested more than {DEEPEST} deep")
        if isinstance(value, float) and not math.isfinite(value):
            raise wrong(str(place), "wanted a finite number")
        if isinstance(value, str) and _has_half_a_pair(value):
            raise wrong(str(place), "half a surrogate pair is not text")
        if isinstance(value, dict) and any(_has_half_a_pair(name) for name in value):
            raise wrong(str(place), "the name of a field has half a surrogate pair in it")
    return document


def _looked_through(text: bytes | str) -> tuple[Any, bool]:
    """The document, and whether something may be wrong with a value in it. Raises ValueError or
    RecursionError if it is none.
    """
    if _is_plain(text):
        try:
            return _PLAIN.decode(text if isinstance(text, str) else text.decode("ascii")), False
        except _InDoubtError:
            pass
    return json.loads(text), True


def _is_plain(text: bytes | str) -> bool:
    """Tell whether a look at the text shows that nothing is wrong with the values in it but for
    numbers, which `_PLAIN` looks at.
    """
    if not text.isascii():
        return False
    if isinstance(text, str):
        return "\\u" not in text and text.count("[") + text.count("{") < DEEPEST
    is_utf_8 = b"\0" not in text
    return is_utf_8 and b"\\u" not in text and text.count(b"[") + text.count(b"{") < DEEPEST


class _InDoubtError(Exception):
    """A number in the text may be none."""


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _InDoubtError
    return number


def _no_number(word: str) -> float:
    raise _InDoubtError


_PLAIN = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number)


def check_numbers(document: Any, path: str) -> None:
    """Invalid names the first number that a device could not hold as it is."""
    for place, value in _values(document, path):
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            if not -_LARGEST_ON_DEVICE - 1 <= value <= _LARGEST_ON_DEVICE:
                raise wrong(str(place), "wanted an integer of at most 64 bits")
        elif isinstance(value, float) and not abs(value) <= _LARGEST_FRACTION:  # NaN too
            raise wrong(str(place), f"wanted a number within ±{_LARGEST_FRACTION:g}")


def check_depth(document: Any, path: str, most: int) -> None:
    """Invalid if there are more than so many lists and objects in each other, itself included."""
    level = [document]
    for _ in range(most):
        inner = [value.values() if isinstance(value, dict) else value for value in level]
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
    if level:
        raise wrong(path, f"lists and objects more than {most} deep")


class _Place:
    """The place of a value in a document.

    Its path is put together only when somebody asks: a document with long names would else cost
    memory without bound.
    """

    def __init__(self, outer: "_Place | None", part: str | int, depth: int) -> None:
        self._outer = outer
        self._part = part
        self.depth = depth

    def __str__(self) -> str:
        parts: list[str] = []
        place: _Place | None = self
        while place is not None:
            is_item = isinstance(place._part, int)
            parts.append(f"[{place._part}]" if is_item else f".{place._part}")
            place = place._outer
        path = "".join(reversed(parts)).removeprefix(".").removeprefix(".")
        return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"


def _values(document: Any, path: str) -> Iterator[tuple[_Place, Any]]:
    """Every value in the document with its place, in order, found without recursion."""
    left = [(_Place(None, path, 0), document)]
    while left:
        place, value = left.pop()
        yield place, value
        if isinstance(value, dict):
            inner = [(_Place(place, name, place.depth + 1), value[name]) for name in value]
        elif isinstance(value, list):
            inner = [(_Place(place, n, place.depth + 1), item) for n, item in enumerate(value)]
        else:
            continue
        left += reversed(inner)


def _has_half_a_pair(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)


def wrong(path: str, detail: str) -> Invalid:
    """The error for the field at this path."""
    return Invalid(detail, path=path)


def kind_of(value: object) -> str:
    """Name the kind of a value that came, for an error message."""
    return _NAMES.get(type(value), "something else")


def typed(value: object, kind: type[T], path: str) -> T:
    """The value if it is exactly of this kind; `true` is not an integer."""
    if type(value) is kind:  # by far the commonest
        return value
    origin: type = getattr(kind, "__origin__", kind)
    if type(value) is not origin:
        raise wrong(path, f"wanted {_NAMES[origin]}, got {kind_of(value)}")
    return value  # type: ignore[return-value]


class Fields:
    """The fields of one object, taken one by one. Unknown ones are ignored."""

    def __init__(self, value: object, path: str = "") -> None:
        self.document: dict[str, Any] = typed(value, dict[str, Any], path)
        self.path = path

    def at(self, name: str) -> str:
        """The path of a field, e.g. "config.platform.url"."""
        return f"{self.path}.{name}" if self.path else name

    def required(self, name: str) -> Any:
        """The field, of any type; missing is an error."""
        if name not in self.document:
            raise wrong(self.at(name), "missing")
        return self.document[name]

    def text(self, name: str, low: int = 0, high: int = 256) -> str:
        """A string of `low` to `high` characters."""
        text = self.document.get(name)
        if type(text) is str and low <= len(text) <= high and text.isascii():
            return text  # as nearly always; else what is wrong is found, in order
        return sized_text(self.required(name), self.at(name), low, high)

    def text_or_null(self, name: str, low: int = 0, high: int = 256) -> str | None:
        """The same, or null; it must be there all the same."""
        return None if self.required(name) is None else self.text(name, low, high)

    def integer(self, name: str, low: int = 0, high: int = LARGEST_INT) -> int:
        """An integer from `low` to `high`."""
        number = self.document.get(name)
        if type(number) is int and low <= number <= high:
            return number
        return bounded(self.required(name), self.at(name), low, high)

    def boolean(self, name: str, default: bool) -> bool:
        """True or false; missing means the default."""
        return typed(self.document.get(name, default), bool, self.at(name))

    def items(self, name: str, low: int = 0, high: int = 64) -> list[Any]:
        """A list of `low` to `high` items."""
        items: list[Any] = self.document.get(name)  # type: ignore[assignment] # or what is wrong
        if type(items) is list and low <= len(items) <= high:
            return items
        items = typed(self.required(name), list[Any], self.at(name))
        if not low <= len(items) <= high:
            raise wrong(self.at(name), f"wanted {low} to {high} items, got {len(items)}")
        return items

    def fields(self, name: str) -> "Fields":
        """An object inside this one."""
        return Fields(self.required(name), self.at(name))

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        """One of these words."""
        word = typed(self.required(name), str, self.at(name))
        if word not in words:
            raise wrong(self.at(name), f"wanted one of {', '.join(words)}")
        return word


def sized_text(value: object, path: str, low: int, high: int) -> str:
    """A string of `low` to `high` characters that UTF-8 can carry."""
    text = typed(value, str, path)
    if not low <= len(text) <= high:
        raise wrong(path, f"wanted {low} to {high} characters, got {len(text)}")
    if _has_half_a_pair(text):
        raise wrong(path, "half a surrogate pair is not text")
    return text


def bounded(value: object, path: str, low: int, high: int = LARGEST_INT) -> int:
    """An integer from `low` to `high`."""
    number = typed(value, int, path)
    if not low <= number <= high:
        raise wrong(
            path, f"wanted {low} to {high}, got {number if abs(number) < 1e15 else 'more'}"
        )
    return number

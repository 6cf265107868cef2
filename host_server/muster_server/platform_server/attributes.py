# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Checks of attributes' values, each of which says what was wanted (TS-0004 6.3)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from muster_server.platform_server.timestamps import is_timestamp

_TEXT_LENGTH = 256
NAME_LENGTH = 64
_LIST_LENGTH = 16
_COUNT_LIMIT = 2**31 - 1
MOST_MEMBERS = 100  # of a group

# The unreserved characters of RFC 3986: a name is a part of an address.
NAME = re.compile(rf"[A-Za-z0-9._~-]{{1,{NAME_LENGTH}}}", re.ASCII)
# "N" and something, or "R" and a registered id of three parts; check_app_id knows about "r".
_APP_ID = re.compile(r"N.+|[Rr][^.]+\.[^.]+\.[^.].*")
# type/subtype:encoding with encoding 0 plain, 1 base64 string, 2 base64 of bytes; then security
_CONTENT_INFO = re.compile(r"[\w.+-]+/[\w.+-]+:[0-2](:[0-5])?", re.ASCII)

_SERIALIZATION = re.compile(r"application/(vnd\.onem2m-res\+)?(json|xml|cbor)", re.ASCII)
_ENTITY = re.compile(r"/?[A-Za-z0-9._~/-]{1,128}", re.ASCII)

# Tells what was wanted if the value is not it, e.g. "a whole number from 0".
Check = Callable[[Any], str | None]


def text(value: Any) -> str | None:
    # As `_is_text`, without a call: most attributes are texts.
    if isinstance(value, str) and len(value) <= _TEXT_LENGTH and value.isprintable():
        return None
    return f"a text of at most {_TEXT_LENGTH} printable characters"


def texts(value: Any) -> str | None:
    is_good = (
        isinstance(value, list)
        and 1 <= len(value) <= _LIST_LENGTH
        and all(_is_text(item) and item for item in value)
    )
    wanted = f"a list of 1 to {_LIST_LENGTH} texts of 1 to {_TEXT_LENGTH} characters"
    return None if is_good else wanted


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT_LENGTH and value.isprintable()


def possibly_no_texts(value: Any) -> str | None:
    return None if value == [] else texts(value)


def members(value: Any) -> str | None:
    is_good = (
        isinstance(value, list)
        and len(value) <= MOST_MEMBERS
        and len(set(map(str, value))) == len(value)
        and all(_is_text(item) and item for item in value)
    )
    return None if is_good else f"a list of at most {MOST_MEMBERS} different addresses"


def serializations(value: Any) -> str | None:
    is_good = texts(value) is None and all(_SERIALIZATION.fullmatch(item) for item in value)
    return None if is_good else 'a list of media types such as "application/json"'


def entities(value: Any) -> str | None:
    is_good = texts(value) is None and all(map(_ENTITY.fullmatch, value))
    return None if is_good else "a list of AE-IDs"


def flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def count(value: Any) -> str | None:
    is_good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _COUNT_LIMIT
    return None if is_good else f"a whole number from 0 to {_COUNT_LIMIT}"


def at_least_once(value: Any) -> str | None:
    is_good = count(value) is None and value > 0
    return None if is_good else f"a whole number from 1 to {_COUNT_LIMIT}"


def time(value: Any) -> str | None:
    is_good = isinstance(value, str) and is_timestamp(value)
    return None if is_good else 'a time such as "20261123T075904"'


def app_id(value: Any) -> str | None:
    is_good = isinstance(value, str) and len(value) <= _TEXT_LENGTH and _APP_ID.fullmatch(value)
    return None if is_good else 'an App-ID: "N" and a name, or "R" and three parts with dots'


def content_info(value: Any) -> str | None:
    is_good = isinstance(value, str) and len(value) <= 64 and _CONTENT_INFO.fullmatch(value)
    return None if is_good else 'a media type and an encoding such as "text/plain:0"'


def anything(value: Any) -> str | None:
    return None if value is not None else "a value"


@dataclass(frozen=True)
class Attribute:
    """The rules of an attribute that an originator may set; the platform's own have none."""

    check: Check
    is_required: bool = False  # at creation; such an attribute cannot be removed either
    is_constant: bool = False  # cannot be updated
    is_secret: bool = False  # never kept here, nor shown: it is for the administrator alone


@dataclass(frozen=True)
class ResourceType:
    number: int
    root: str  # the one key of the JSON document, e.g. "m2m:ae"
    prefix: str  # of the ids that the platform makes
    children: frozenset[int] = frozenset()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The attributes without which there is no such resource."""
        return tuple(name for name, rule in self.attributes.items() if rule.is_required)

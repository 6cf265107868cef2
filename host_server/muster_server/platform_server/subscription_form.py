# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The form of a <subscription>'s own attributes (TS-0001 9.6.8, TS-0004 7.4.8)."""

import re
from typing import Any

UPDATED, DELETED, CHILD_CREATED, CHILD_DELETED = 1, 2, 3, 4
_EVENTS = (UPDATED, DELETED, CHILD_CREATED, CHILD_DELETED)
ALL_ATTRIBUTES, MODIFIED_ATTRIBUTES, RESOURCE_ID = 1, 2, 3
_MOST_TARGETS = 3
_MOST_IN_A_BATCH = 100
_LONGEST_BATCH_S = 3600
_TARGET = re.compile(r"[\x21-\x7e]{1,256}")
_DURATION = re.compile(r"PT?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})S)?")


def criteria(value: Any) -> str | None:
    """The check of `enc`: which events, of which attributes, of children of which types."""
    if not isinstance(value, dict) or not value or set(value) - {"net", "atr", "chty"}:
        return "an object with net, atr and chty (others are not supported here)"
    net = value.get("net", [UPDATED])
    if not isinstance(net, list) or not net or any(event not in _EVENTS for event in net):
        return f"in net some of {_EVENTS}"
    if any(isinstance(event, bool) for event in net):
        return "in net numbers"
    attributes, children = value.get("atr", []), value.get("chty", [])
    if not isinstance(attributes, list) or not all(isinstance(name, str) for name in attributes):
        return "in atr a list of attributes"
    if not isinstance(children, list) or not all(type(ty) is int for ty in children):
        return "in chty a list of types"
    if len(attributes) > 32 or len(children) > 32:
        return "in atr and chty at most 32 each"
    return None


def targets(value: Any) -> str | None:
    """The check of `nu`."""
    is_good = (
        isinstance(value, list)
        and 1 <= len(value) <= _MOST_TARGETS
        and all(isinstance(item, str) and _TARGET.fullmatch(item) for item in value)
    )
    return None if is_good else f"a list of 1 to {_MOST_TARGETS} URLs or addresses of AEs"


def target(value: Any) -> str | None:
    """The check of `su`."""
    return targets([value])


def content_type(value: Any) -> str | None:
    """The check of `nct`."""
    wanted = (ALL_ATTRIBUTES, MODIFIED_ATTRIBUTES, RESOURCE_ID)
    return None if type(value) is int and value in wanted else f"one of {wanted}"


def counter(value: Any) -> str | None:
    """The check of `exc`."""
    return None if type(value) is int and 1 <= value < 2**31 else "a whole number from 1"


def batch(value: Any) -> str | None:
    """The check of `bn`."""
    if not isinstance(value, dict) or not value or set(value) - {"num", "dur"}:
        return "an object with num, dur or both"
    number = value.get("num", 1)
    if type(number) is not int or not 1 <= number <= _MOST_IN_A_BATCH:
        return f"in num a number from 1 to {_MOST_IN_A_BATCH}"
    if "dur" in value and not 0 < batch_s(value) <= _LONGEST_BATCH_S:
        return f'in dur milliseconds, or a duration such as "PT10S", up to {_LONGEST_BATCH_S} s'
    return None


def batch_s(value: dict[str, Any]) -> float:
    """The time after which a batch is sent, in seconds; 60 if none is given, 0 if it is none."""
    given = value.get("dur", 60_000)
    if type(given) is int:
        return given / 1000
    found = _DURATION.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        return 0.0
    minutes, seconds = (int(part or 0) for part in found.groups())
    return minutes * 60.0 + seconds

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Filter criteria in the query part of an address (TS-0004 7.3.3.17.9, TS-0009 6.2.2.2).

`lbl=a+b` and `lbl=a&lbl=b` both mean either label; conditions of different names must all be met,
with `fo=2` any one of them.
"""

import re
from collections.abc import Mapping

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.response_codes import BadRequest
from muster_server.platform_server.timestamps import is_timestamp
from muster_server.store.platform_search import NAMES as CONDITIONS
from muster_server.store.platform_search import Filter

_TIMES = ("crb", "cra", "ms", "us", "exb", "exa")
_COUNTS = ("sts", "stb", "sza", "szb")
# Lists, and what has parts, cannot be compared.
_UNSEARCHABLE = {"acpi", "csz", "hael", "lbl", "mid", "poa", "ptl", "pv", "pvs", "srt", "srv"}
_KEPT_BY_THE_PLATFORM = {"rn", "ri", "pi", "ct", "lt", "et", "aei", "cni", "cbs", "cs", "st", "cr"}
_SETTABLE = {name for type_ in types.TYPES.values() for name in type_.attributes}
ATTRIBUTES = (_SETTABLE | _KEPT_BY_THE_PLATFORM) - _UNSEARCHABLE
_OF_A_REQUEST = {"op", "tg", "org", "rid", "mi", "pc", "rs", "ors"}
SHOWN = _SETTABLE | _KEPT_BY_THE_PLATFORM | _OF_A_REQUEST | {"ty", "csi", "cst", "srt", "ctm"}
NAMES = ("ty", "lbl", "fo", "lvl", "lim", "ofst", "arp", *CONDITIONS)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST = 256  # of a value
_MOST_VALUES = 32
_NO_FILTERS = {"rcn"}
_EVERYTHING = Filter()
_PATH = re.compile(r"[A-Za-z0-9._~-]{1,64}(/[A-Za-z0-9._~-]{1,64}){0,4}", re.ASCII)


def parse(parameters: Mapping[str, list[str]]) -> Filter:
    """The filter in a query's parameters; BadRequest names the one that is wrong."""
    if parameters.keys() <= _NO_FILTERS:  # as in all that devices ask
        return _EVERYTHING
    return Filter(
        types=frozenset(numbers("ty", parameters.get("ty", []))),
        labels=frozenset(_values("lbl", parameters.get("lbl", []))),
        conditions=tuple(
            (name, _checked(name, value))
            for name, texts in parameters.items()
            if name in CONDITIONS or name in ATTRIBUTES
            for value in _values(name, texts)
        ),
        is_any_enough=_one(parameters, "fo", 1, (1, 2)) == 2,
        levels=next(iter(numbers("lvl", parameters.get("lvl", []))), None),
        limit=next(iter(numbers("lim", parameters.get("lim", []))), None),
        # The first result has the number 1.
        offset=max(0, _one(parameters, "ofst", 1) - 1),
        below=_path(parameters.get("arp", [""])[0]),
    )


def numbers(name: str, texts: list[str]) -> list[int]:
    """Whole numbers, several in a text with a plus or a blank between them. BadRequest if not."""
    words = [word for text in texts for word in text.replace("+", " ").split()]
    if not all(_NUMBER.fullmatch(word) for word in words):
        raise BadRequest(f"{name}: wanted a number")
    return [int(word) for word in words]


def _one(
    parameters: Mapping[str, list[str]], name: str, default: int, wanted: tuple[int, ...] = ()
) -> int:
    if name not in parameters:
        return default
    found = numbers(name, parameters[name])
    if len(found) != 1 or (wanted and found[0] not in wanted):
        raise BadRequest(f"{name}: wanted one of {', '.join(map(str, wanted)) or 'the numbers'}")
    return found[0]


def _values(name: str, texts: list[str]) -> list[str]:
    # A plus between values arrives as a blank; one that belongs to a value is written %2B.
    values = [value for text in texts for value in text.split(" ") if value]
    if len(values) > _MOST_VALUES or any(len(value) > _LONGEST for value in values):
        raise BadRequest(f"{name}: at most {_MOST_VALUES} values of {_LONGEST} characters")
    return values


def _checked(name: str, value: str) -> str:
    if name in _TIMES and not is_timestamp(value):
        raise BadRequest(f'{name}: wanted a time such as "20261123T075904"')
    if name in _COUNTS and not _NUMBER.fullmatch(value):
        raise BadRequest(f"{name}: wanted a whole number from 0")
    return value


def _path(text: str) -> str:
    if text and not _PATH.fullmatch(text):
        raise BadRequest('arp: wanted a path such as "data/inner"')
    return text

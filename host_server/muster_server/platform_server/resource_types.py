# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The resource types of this subset and the rules for their attributes (TS-0004 7.4), as tables.

Not for who may do what (access.py), nor for what an operation does (service.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from muster_server.platform_server.response_codes import BadRequest
from muster_server.platform_server.timestamps import is_timestamp

AE, CONTAINER, CONTENT_INSTANCE, CSE_BASE, MGMT_OBJ, NODE = 2, 3, 4, 5, 13, 14
DEVICE_INFO = 1007  # mgmtDefinition

# Types that oneM2M defines and this subset leaves out: answered "not implemented", not "unknown".
OTHER_TYPES = frozenset(range(1, 67)) - {AE, CONTAINER, CONTENT_INSTANCE, CSE_BASE, MGMT_OBJ, NODE}

_TEXT_LENGTH = 256
_NAME_LENGTH = 64
_LIST_LENGTH = 16
_COUNT_LIMIT = 2**31 - 1

# The unreserved characters of RFC 3986: a name is a part of an address.
NAME = re.compile(rf"[A-Za-z0-9._~-]{{1,{_NAME_LENGTH}}}", re.ASCII)
# "N" and something, or "R" and a registered id of three parts; check_app_id knows about "r".
_APP_ID = re.compile(r"N.+|[Rr][^.]+\.[^.]+\.[^.].*")
# type/subtype:encoding with encoding 0 plain, 1 base64 string, 2 base64 of bytes
_CONTENT_INFO = re.compile(r"[\w.+-]+/[\w.+-]+(:[0-2]){0,2}(:[0-5])?", re.ASCII)

# Tells what was wanted if the value is not it, e.g. "a whole number from 0".
Check = Callable[[Any], str | None]


def _text(value: Any) -> str | None:
    is_good = _is_text(value)
    return None if is_good else f"a text of at most {_TEXT_LENGTH} printable characters"


def _texts(value: Any) -> str | None:
    is_good = (
        isinstance(value, list)
        and 1 <= len(value) <= _LIST_LENGTH
        and all(_is_text(item) and item for item in value)
    )
    wanted = f"a list of 1 to {_LIST_LENGTH} texts of 1 to {_TEXT_LENGTH} characters"
    return None if is_good else wanted


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT_LENGTH and value.isprintable()


def _possibly_no_texts(value: Any) -> str | None:
    return None if value == [] else _texts(value)


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


def _count(value: Any) -> str | None:
    is_good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _COUNT_LIMIT
    return None if is_good else f"a whole number from 0 to {_COUNT_LIMIT}"


def _time(value: Any) -> str | None:
    is_good = isinstance(value, str) and is_timestamp(value)
    return None if is_good else 'a time such as "20261123T075904"'


def _app_id(value: Any) -> str | None:
    is_good = isinstance(value, str) and len(value) <= _TEXT_LENGTH and _APP_ID.fullmatch(value)
    return None if is_good else 'an App-ID: "N" and a name, or "R" and three parts with dots'


def _content_info(value: Any) -> str | None:
    is_good = isinstance(value, str) and len(value) <= 64 and _CONTENT_INFO.fullmatch(value)
    return None if is_good else 'a media type and an encoding such as "text/plain:0"'


def _device_info(value: Any) -> str | None:
    is_good = value == DEVICE_INFO and not isinstance(value, bool)
    return None if is_good else f"{DEVICE_INFO}, deviceInfo"


def _anything(value: Any) -> str | None:
    return None if value is not None else "a value"


@dataclass(frozen=True)
class Attribute:
    """The rules of an attribute that an originator may set; the platform's own have none."""

    check: Check
    is_required: bool = False  # at creation; such an attribute cannot be removed either
    is_constant: bool = False  # cannot be updated


@dataclass(frozen=True)
class ResourceType:
    number: int
    root: str  # the one key of the JSON document, e.g. "m2m:ae"
    prefix: str  # of the ids that the platform makes
    children: frozenset[int] = frozenset()
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


_COMMON = {"lbl": Attribute(_texts), "et": Attribute(_time)}
# fmt: off
_DEVICE_INFO_TEXTS = ("smod", "dvnm", "fwv", "swv", "hwv", "osv", "mfd", "mfdl", "loc", "syst",
                      "spur", "purl", "dc", "cnty")
# fmt: on

TYPES: Mapping[int, ResourceType] = {
    type_.number: type_
    for type_ in (
        ResourceType(CSE_BASE, "m2m:cb", "cb", frozenset({AE, NODE, CONTAINER})),
        ResourceType(
            AE,
            "m2m:ae",
            "ae",
            frozenset({CONTAINER}),
            _COMMON
            | {
                "api": Attribute(_app_id, is_required=True, is_constant=True),
                "rr": Attribute(_flag, is_required=True),
                "srv": Attribute(_possibly_no_texts, is_required=True),
                "apn": Attribute(_text),
                "poa": Attribute(_texts),
                "or": Attribute(_text),
                "csz": Attribute(_texts),
                "nl": Attribute(_text),
            },
        ),
        ResourceType(
            CONTAINER,
            "m2m:cnt",
            "cnt",
            frozenset({CONTAINER, CONTENT_INSTANCE}),
            _COMMON | {"mni": Attribute(_count), "mbs": Attribute(_count), "or": Attribute(_text)},
        ),
        ResourceType(
            CONTENT_INSTANCE,
            "m2m:cin",
            "cin",
            attributes=_COMMON
            | {
                "con": Attribute(_anything, is_required=True),
                "cnf": Attribute(_content_info),
                "or": Attribute(_text),
            },
        ),
        ResourceType(
            NODE,
            "m2m:nod",
            "nod",
            frozenset({MGMT_OBJ}),
            _COMMON
            | {"ni": Attribute(_text, is_required=True), "hael": Attribute(_possibly_no_texts)},
        ),
        ResourceType(
            MGMT_OBJ,
            "m2m:dvi",
            "dvi",
            attributes=_COMMON
            | {
                "mgd": Attribute(_device_info, is_required=True, is_constant=True),
                "dlb": Attribute(_text, is_required=True),
                "man": Attribute(_text, is_required=True),
                "mod": Attribute(_text, is_required=True),
                "dty": Attribute(_text, is_required=True),
                "ptl": Attribute(_texts),
            }
            | {name: Attribute(_text) for name in _DEVICE_INFO_TEXTS},
        ),
    )
}


def checked_name(given: Mapping[str, Any]) -> str | None:
    """Return the resource name that the originator wants, or None if it leaves it to the platform.

    Raises BadRequest if the name is malformed.
    """
    if "rn" not in given:
        return None
    name = given["rn"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadRequest(
            f"rn: wanted 1 to {_NAME_LENGTH} of A-Z a-z 0-9 . _ ~ -, got {_shown(name)}"
        )
    return name


def checked_for_creation(type_: ResourceType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes without rn.

    Raises BadRequest if one is unknown, malformed, or required and missing.
    """
    attributes = {name: value for name, value in given.items() if name != "rn"}
    for name, value in attributes.items():
        _check(type_, name, value)
    for name, rule in type_.attributes.items():
        if rule.is_required and name not in attributes:
            raise BadRequest(f"{name}: required in {type_.root}, and missing")
    return attributes


def check_app_id(given: Mapping[str, Any], release: str) -> None:
    """Check an App-ID: since release 4 a registered one begins with a capital R.

    Raises BadRequest if it does not.
    """
    if str(given.get("api", "")).startswith("r") and release not in ("2a", "3"):
        raise BadRequest(f'api: wanted "R" in release {release}, got "r"')


def checked_for_update(type_: ResourceType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes, where None means that the attribute is removed.

    Raises BadRequest if one is unknown, malformed, constant, or removes what is required.
    """
    for name, value in given.items():
        rule = _rule(type_, name)
        if rule.is_constant:
            raise BadRequest(f"{name}: cannot be changed after the creation")
        if value is None:
            if rule.is_required or name == "et":
                raise BadRequest(f"{name}: required in {type_.root}, so it cannot be removed")
            continue
        _check(type_, name, value)
    return dict(given)


def _rule(type_: ResourceType, name: str) -> Attribute:
    rule = type_.attributes.get(name)
    if rule is None:
        known = ", ".join(sorted(type_.attributes))
        raise BadRequest(f"{_shown(name)}: not settable in {type_.root}; settable: {known}")
    return rule


def _check(type_: ResourceType, name: str, value: Any) -> None:
    wanted = _rule(type_, name).check(value)
    if wanted is not None:
        raise BadRequest(f"{name}: wanted {wanted}, got {_shown(value)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"

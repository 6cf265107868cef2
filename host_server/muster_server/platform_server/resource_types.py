# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The resource types of this subset and the rules for their attributes (TS-0004 7.4), as tables.

Not for who may do what (access.py), nor for what an operation does (service.py).
"""

from collections.abc import Mapping
from typing import Any

from muster_server.platform_server import attributes as check
from muster_server.platform_server import management
from muster_server.platform_server import subscription_form as form
from muster_server.platform_server.attributes import (
    NAME,
    NAME_LENGTH,
    Attribute,
    ResourceType,
)
from muster_server.platform_server.policy_form import privileges, self_privileges
from muster_server.platform_server.response_codes import BadRequest, NotImplementedHere
from muster_server.store.platform import Resource

POLICY, AE, CONTAINER, CONTENT_INSTANCE, CSE_BASE = 1, 2, 3, 4, 5
GROUP, MGMT_OBJ, NODE, CHANNEL, REQUEST, SUBSCRIPTION = 9, 13, 14, 15, 17, 23

_COMMON = {"lbl": Attribute(check.texts), "et": Attribute(check.time)}
_GOVERNED = {"acpi": Attribute(check.texts)}  # by access control policies


TYPES: Mapping[int, ResourceType] = {
    type_.number: type_
    for type_ in (
        ResourceType(
            CSE_BASE, "m2m:cb", "cb", frozenset({POLICY, AE, CONTAINER, GROUP, NODE, SUBSCRIPTION})
        ),
        ResourceType(
            POLICY,
            "m2m:acp",
            "acp",
            attributes=_COMMON
            | {
                "pv": Attribute(privileges, is_required=True),
                "pvs": Attribute(self_privileges, is_required=True),
            },
        ),
        ResourceType(
            AE,
            "m2m:ae",
            "ae",
            frozenset({POLICY, CONTAINER, GROUP, CHANNEL, SUBSCRIPTION}),
            _COMMON
            | _GOVERNED
            | {
                "api": Attribute(check.app_id, is_required=True, is_constant=True),
                "rr": Attribute(check.flag, is_required=True),
                "srv": Attribute(check.possibly_no_texts, is_required=True),
                "apn": Attribute(check.text),
                "poa": Attribute(check.texts),
                "or": Attribute(check.text),
                "csz": Attribute(check.serializations),
                "nl": Attribute(check.text),
            },
        ),
        ResourceType(
            CONTAINER,
            "m2m:cnt",
            "cnt",
            frozenset({CONTAINER, CONTENT_INSTANCE, SUBSCRIPTION}),
            _COMMON
            | _GOVERNED
            | {
                "mni": Attribute(check.count),
                "mbs": Attribute(check.count),
                "disr": Attribute(check.flag),
                "or": Attribute(check.text),
            },
        ),
        ResourceType(
            CONTENT_INSTANCE,
            "m2m:cin",
            "cin",
            attributes=_COMMON
            | {
                "con": Attribute(check.anything, is_required=True),
                "cnf": Attribute(check.content_info),
                "dgt": Attribute(check.time),
                "dcnt": Attribute(check.at_least_once),
                "or": Attribute(check.text),
            },
        ),
        ResourceType(
            GROUP,
            "m2m:grp",
            "grp",
            attributes=_COMMON
            | _GOVERNED
            | {
                "mt": Attribute(check.count, is_constant=True),
                "mnm": Attribute(check.count, is_required=True),
                "mid": Attribute(check.members, is_required=True),
                "gn": Attribute(check.text),
            },
        ),
        ResourceType(
            CHANNEL, "m2m:pch", "pch", attributes=_COMMON | {"rqag": Attribute(check.flag)}
        ),
        ResourceType(REQUEST, "m2m:req", "req"),  # made by the platform itself
        ResourceType(
            SUBSCRIPTION,
            "m2m:sub",
            "sub",
            attributes=_COMMON
            | {
                "enc": Attribute(form.criteria),
                "nu": Attribute(form.targets, is_required=True),
                "su": Attribute(form.target, is_constant=True),
                "nct": Attribute(form.content_type),
                "exc": Attribute(form.counter),
                "bn": Attribute(form.batch),
            },
        ),
        ResourceType(
            NODE,
            "m2m:nod",
            "nod",
            frozenset({MGMT_OBJ, SUBSCRIPTION}),
            _COMMON
            | _GOVERNED
            | {
                "ni": Attribute(check.text, is_required=True),
                "hael": Attribute(check.entities),
            },
        ),
        # One of several: what it holds is up to its definition (form_of, form_of_kept).
        ResourceType(MGMT_OBJ, "m2m:mgo", "mgo", frozenset({SUBSCRIPTION})),
    )
}

# Types whose creator is told if it is asked for.
WITH_CREATOR = frozenset({POLICY, CONTAINER, CONTENT_INSTANCE, GROUP, SUBSCRIPTION})
# Attributes that name policies, originators, groups or members.
NAMING = frozenset({"acpi", "pv", "pvs", "mid", "mnm"})
# A policy says itself who may do what with it; a subscription and a request are their creator's.
GOVERNED_BY_NOBODY = frozenset({POLICY, CHANNEL, REQUEST, SUBSCRIPTION})
CREATORS_OWN = frozenset({REQUEST, SUBSCRIPTION})
# Types that oneM2M defines and this subset leaves out: answered "not implemented", not "unknown".
OTHER_TYPES = frozenset(range(1, 67)) - set(TYPES)


def form_of(type_: ResourceType, document: Mapping[str, Any]) -> ResourceType:
    """Return the rules for what is to be created: of a management object, those of its definition.

    Raises NotImplementedHere for one that oneM2M defines and this platform does not have,
    BadRequest for what is no management object at all.
    """
    if type_.number != MGMT_OBJ:
        return type_
    ((root, inner),) = document.items() if len(document) == 1 else (("", {}),)
    if root in management.BY_ROOT:
        return management.BY_ROOT[root]
    definition = inner.get("mgd") if isinstance(inner, dict) else None
    is_number = isinstance(definition, int) and not isinstance(definition, bool)
    if is_number and definition in management.DEFINITIONS and definition not in management.OBJECTS:
        known = ", ".join(map(str, management.OBJECTS))
        raise NotImplementedHere(f"mgd {definition}: this platform has {known}")
    raise BadRequest(f"wanted a document with one key of {', '.join(management.BY_ROOT)}")


def form_of_kept(resource: Resource) -> ResourceType:
    """The rules for a resource that is there."""
    if resource.ty == MGMT_OBJ:
        return management.OBJECTS[resource.attributes["mgd"]]
    return TYPES[resource.ty]


def checked_name(given: Mapping[str, Any]) -> str | None:
    """Return the resource name that the originator wants, or None if it leaves it to the platform.

    Raises BadRequest if the name is malformed.
    """
    if "rn" not in given:
        return None
    name = given["rn"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise BadRequest(
            f"rn: wanted 1 to {NAME_LENGTH} of A-Z a-z 0-9 . _ ~ -, got {_shown(name)}"
        )
    return name


def checked_for_creation(type_: ResourceType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes without rn.

    Raises BadRequest if one is unknown, malformed, or required and missing.
    """
    attributes = dict(given)
    attributes.pop("rn", None)
    rules = type_.attributes
    for name, value in attributes.items():
        rule = rules.get(name) or _rule(type_, name)
        if rule.is_secret:
            raise BadRequest(f"{name}: is written with an update, into what is there")
        wanted = rule.check(value)
        if wanted is not None:
            raise _refusal(rule, name, wanted, value)
    for name in type_.required:
        if name not in attributes:
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
        wanted = rule.check(value)
        if wanted is not None:
            raise _refusal(rule, name, wanted, value)
    return dict(given)


def parted(type_: ResourceType, changes: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the changes without the secret among them, and that; None if there is none."""
    secret = None
    kept = dict(changes)
    for name in changes:
        if type_.attributes[name].is_secret:
            secret = kept.pop(name)
    return kept, secret


def _rule(type_: ResourceType, name: str) -> Attribute:
    rule = type_.attributes.get(name)
    if rule is None:
        known = ", ".join(sorted(type_.attributes))
        raise BadRequest(f"{_shown(name)}: not settable in {type_.root}; settable: {known}")
    return rule


def _refusal(rule: Attribute, name: str, wanted: str, value: Any) -> BadRequest:
    came = "something else" if rule.is_secret else _shown(value)
    return BadRequest(f"{name}: wanted {wanted}, got {came}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"

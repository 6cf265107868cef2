# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Contents of a new or changed resource, before the store keeps it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from muster_server.ordered_ids import ordered_id
from muster_server.platform_server import resource_types as types
from muster_server.platform_server import serialization
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.attributes import ResourceType
from muster_server.platform_server.primitives import Operation, Request
from muster_server.platform_server.response_codes import (
    BadRequest,
    Conflict,
    NotImplementedHere,
    OperationNotAllowed,
    RequestRefused,
)
from muster_server.store.platform import Resource, Rows

# How the configuration server's nodes begin: "nod-PRESS-4". Nobody else may take such a name.
NODE_NAMES = "nod-"

# What holds where a subscription says nothing: updates are told, with all attributes.
_OF_A_SUBSCRIPTION = {"enc": {"net": [1]}, "nct": 1}

# Tells the time after which a life may end, and the latest end that it may have.
Ends = Callable[[], tuple[str, str]]

_ID_BYTES = 6  # of chance in a resource's id

_CREATABLE = tuple(sorted(set(types.TYPES) - {types.CSE_BASE, types.REQUEST}))


def cse_base(cse: CSE, releases: tuple[str, ...], now: str) -> Resource:
    """The root of the tree, an infrastructure node's CSE (cst 1)."""
    attributes = {
        "csi": f"/{cse.id}",
        "cst": 1,
        "srt": sorted(types.TYPES),
        "srv": list(releases),
        "csz": list(serialization.MEDIA_TYPES),
    }
    if cse.points_of_access:
        attributes["poa"] = list(cse.points_of_access)
    return Resource(
        cse.id, types.CSE_BASE, cse.name, "", cse.name, None, now, now, None, attributes
    )


def asks_for_an_id(request: Request) -> bool:
    """Tell whether an AE is to be registered under an id that the CSE assigns."""
    is_registration = request.operation is Operation.CREATE and request.ty == types.AE
    return is_registration and request.originator in ("", "C")


def creatable(ty: int | None) -> ResourceType:
    """Return the type that a creation asks for.

    Raises BadRequest if the type is missing or no type, OperationNotAllowed for the CSEBase
    and for a request, NotImplementedHere for a type that this platform does not have.
    """
    if ty is None:
        raise BadRequest('Content-Type: wanted the resource type, as in "application/json;ty=2"')
    if ty == types.CSE_BASE:
        raise OperationNotAllowed("the CSEBase exists, and there is only one")
    if ty == types.REQUEST:
        raise OperationNotAllowed("the platform makes a request itself, for rt=1 and rt=2")
    if ty in types.OTHER_TYPES:
        raise NotImplementedHere(f"ty {ty}: this platform has {_CREATABLE}")
    if ty not in types.TYPES:
        raise BadRequest(f"ty: wanted one of {_CREATABLE}")
    return types.TYPES[ty]


def new_ri(type_: ResourceType) -> str:
    """Return an id that no resource has, e.g. "cnt019ad7a8f2c41b3c5d7e9f1a"."""
    return type_.prefix + ordered_id(_ID_BYTES)


def drafted(
    type_: ResourceType,
    parent: Resource,
    given: Mapping[str, Any],
    originator: str,
    now: str,
    ends: Ends,
    new_id: str | None = None,
) -> Resource:
    """Return a resource as the request asks for it; an AE's `et` is set, at most to the later end.

    Raises BadRequest if an attribute is wrong, Conflict if the name is the container's own.
    """
    asks_for_creator = "cr" in given and type_.number in types.WITH_CREATOR
    if asks_for_creator and given["cr"] is not None:
        raise BadRequest("cr: wanted null; the platform says who the creator is")
    if asks_for_creator:
        given = {name: value for name, value in given.items() if name != "cr"}
    attributes = types.checked_for_creation(type_, given)
    number = type_.number
    is_ae = number == types.AE
    ri = originator if is_ae else new_id or new_ri(type_)
    rn = types.checked_name(given) or ri
    if parent.ty == types.CONTAINER and rn in ("la", "ol"):
        raise Conflict(f"rn: {rn} is the container's own")
    if asks_for_creator:
        attributes["cr"] = originator
    asked_end = attributes.pop("et", None)
    end = _checked_end(asked_end, ends) if asked_end else None
    if is_ae:
        attributes["aei"] = ri
        end = end or ends()[1]
    if number == types.SUBSCRIPTION:
        attributes = {**_OF_A_SUBSCRIPTION, **attributes}
    if number == types.CHANNEL:
        attributes = {"rqag": False, **attributes}
    if number == types.CONTAINER:
        attributes |= {"cni": 0, "cbs": 0, "st": 0}
    return Resource.of(
        ri=ri,
        ty=number,
        rn=rn,
        pi=parent.ri,
        path=f"{parent.path}/{rn}",
        owner=ri if is_ae else parent.owner,
        ct=now,
        lt=now,
        et=end,
        attributes=attributes,
        creator=originator,
        governed_by=governing(ri, number, attributes, parent),
    )


def governing(
    ri: str, ty: int, attributes: Mapping[str, Any], parent: Resource | None
) -> str | None:
    """The id of the resource whose policies govern the one with this id."""
    if ty in types.GOVERNED_BY_NOBODY:
        return None
    if attributes.get("acpi"):
        return ri
    return parent.governed_by if parent is not None else None


def updated(resource: Resource, changes: Mapping[str, Any], now: str, ends: Ends) -> Resource:
    """The resource with the changes; None removes an attribute."""
    attributes = {**resource.attributes, **changes}
    asked_end = attributes.pop("et", None)
    end = _checked_end(asked_end, ends) if asked_end else resource.et
    attributes = {name: value for name, value in attributes.items() if value is not None}
    if resource.ty == types.SUBSCRIPTION:
        attributes = {**_OF_A_SUBSCRIPTION, **attributes}
    if resource.ty == types.CONTAINER:
        attributes["st"] += 1
    return replace(resource, attributes=attributes, et=end, lt=now)


def _checked_end(asked: str, ends: Ends) -> str:
    earliest, latest = ends()
    if asked <= earliest:
        raise BadRequest(f"et: wanted a time after {earliest}, got {asked}")
    return min(asked, latest)


def check_name(rows: Rows, draft: Resource) -> None:
    """An AE is called as its originator likes, but not what is kept for others: who takes the
    name of a device's node, or another originator, would keep that one out. Raises Conflict then.
    """
    is_anothers = draft.rn != draft.ri and rows.has_account(draft.rn)
    if is_anothers or draft.rn.startswith(NODE_NAMES):
        raise Conflict(f"rn: {draft.rn} is kept for somebody else; take your originator")


def inner_of(document: Mapping[str, Any], type_: ResourceType) -> Mapping[str, Any]:
    """Return what the document gives for this type, or nothing."""
    given = document.get(type_.root)
    return given if isinstance(given, dict) else {}


def content_of(
    document: Mapping[str, Any], type_: ResourceType, refusal: type[RequestRefused]
) -> Mapping[str, Any]:
    """Return what the document gives for this type.

    Raises `refusal` if it is for another one, BadRequest if it is no object.
    """
    if list(document) != [type_.root]:
        raise refusal(f'wanted a document with the one key "{type_.root}"')
    given = document[type_.root]
    if not isinstance(given, dict):
        raise BadRequest(f"{type_.root}: wanted an object")
    return given

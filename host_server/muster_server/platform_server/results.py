# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Contents of a response: a resource, its subtree, references, or a discovery's addresses."""

from collections.abc import Mapping
from typing import Any

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.access import Caller, reach
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.primitives import Content, Request
from muster_server.platform_server.timestamps import FOR_EVER
from muster_server.store.platform import Resource, Rows


def end_of_life(rows: Rows, resource: Resource) -> str:
    """A resource lives as long as it wants to and all above it do."""
    names = resource.path.split("/")
    paths = ["/".join(names[: i + 1]) for i in range(len(names))]
    return rows.earliest_end(paths) or FOR_EVER


def attributes_of(resource: Resource, end: str) -> dict[str, Any]:
    """All attributes, with the oneM2M short names."""
    shown = {
        "rn": resource.rn,
        "ty": resource.ty,
        "ri": resource.ri,
        "pi": resource.pi,
        "ct": resource.ct,
        "lt": resource.lt,
        **resource.attributes,
    }
    if resource.ty != types.CSE_BASE:
        shown["et"] = end
    return shown


def changed_attributes(
    before: Mapping[str, Any], asked: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what became different from before without having been asked for just so."""
    return {
        name: value
        for name, value in after.items()
        if value != before.get(name) and value != asked.get(name)
    }


def document_of(resource: Resource, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {types.TYPES[resource.ty].root: attributes}


def subtree(
    rows: Rows, caller: Caller, top: Resource, request: Request, most: int
) -> tuple[list[Resource], bool]:
    """Return what the caller may see under a resource, top down, and whether there was more."""
    wanted = request.filter
    limit = most if wanted.limit is None else min(wanted.limit, most)
    found = rows.under(
        top.path,
        limit + 1,
        types=wanted.types,
        labels=wanted.labels,
        levels=wanted.levels,
        reach=reach(caller, discovers=request.is_discovery),
    )
    return found[:limit], len(found) > limit


def tree(rows: Rows, top: Resource, found: list[Resource], content: Content) -> dict[str, Any]:
    """The resource with those of the found ones whose parents are shown too."""
    end = end_of_life(rows, top)
    shown = attributes_of(top, end) if content is Content.WITH_CHILDREN else {}
    places = {top.ri: (shown, end)}
    for resource in sorted(found, key=_display_order):
        if resource.pi not in places:
            continue
        parent, parent_end = places[resource.pi]
        own_end = min(resource.et or FOR_EVER, parent_end)
        attributes = attributes_of(resource, own_end)
        parent.setdefault(types.TYPES[resource.ty].root, []).append(attributes)
        places[resource.ri] = (attributes, own_end)
    return document_of(top, shown)


def references(cse: CSE, found: list[Resource]) -> list[dict[str, Any]]:
    """Child resource references (TS-0004, m2m:childResourceRef)."""
    return [
        {"nm": resource.rn, "typ": resource.ty, "val": f"/{cse.id}/{resource.path}"}
        for resource in sorted(found, key=_display_order)
    ]


def addresses(cse: CSE, request: Request, found: list[Resource]) -> dict[str, Any]:
    """The answer to a discovery."""
    if request.wants_ids:
        return {"m2m:uril": [f"/{cse.id}/{resource.ri}" for resource in found]}
    return {"m2m:uril": [resource.path for resource in found]}


def _display_order(resource: Resource) -> tuple[int, int, int, str]:
    # parents before children; instances by age, everything else by name
    is_instance = resource.ty == types.CONTENT_INSTANCE
    level = resource.path.count("/")
    return level, resource.ty, resource.seq if is_instance else 0, resource.rn

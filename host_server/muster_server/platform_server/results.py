# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Contents of a response: a resource, its subtree, references, or a discovery's addresses."""

from collections.abc import Mapping
from typing import Any

from muster_server.platform_server import resource_types as types
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.access import Caller, reach
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.primitives import Content, Request, Response
from muster_server.platform_server.timestamps import FOR_EVER
from muster_server.store.platform import Resource, Rows


def end_of_life(rows: Rows, resource: Resource) -> str:
    """A resource lives as long as it wants to and all above it do."""
    if resource.path.count("/") == 1:  # under the CSEBase, which lives for ever
        return resource.et or FOR_EVER
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
    return {types.form_of_kept(resource).root: attributes}


def subtree(
    rows: Rows, caller: Caller, top: Resource, request: Request, most: int
) -> tuple[list[Resource], bool]:
    """Return what the caller may see under a resource, top down, and whether there was more."""
    wanted, seen = request.filter, reach(caller, discovers=request.is_discovery)
    limit = most if wanted.limit is None else min(wanted.limit, most)
    found = rows.under(top.path, limit + 1, wanted, reach=seen)
    shown, is_partial = found[:limit], len(found) > limit
    if wanted.below:
        shown = rows.below([f"{resource.path}/{wanted.below}" for resource in shown], seen)
    return shown, is_partial


def tree(rows: Rows, top: Resource, found: list[Resource], content: Content) -> dict[str, Any]:
    """The resource with the found ones, each in the nearest above it that is shown, too."""
    end = end_of_life(rows, top)
    shown = attributes_of(top, end) if content is Content.WITH_CHILDREN else {}
    places = {top.path: (shown, end)}
    for resource in sorted(found, key=_display_order):
        above = resource.path.rpartition("/")[0]
        while above not in places:
            above = above.rpartition("/")[0]
        parent, parent_end = places[above]
        own_end = min(resource.et or FOR_EVER, parent_end)
        attributes = attributes_of(resource, own_end)
        parent.setdefault(types.form_of_kept(resource).root, []).append(attributes)
        places[resource.path] = (attributes, own_end)
    return document_of(top, shown)


def references(cse: CSE, request: Request, found: list[Resource]) -> list[dict[str, Any]]:
    """Child resource references (TS-0004, m2m:childResourceRef)."""
    by_id = request.wants_ids
    return [
        {
            "nm": resource.rn,
            "typ": resource.ty,
            "val": f"/{cse.id}/{resource.ri if by_id else resource.path}",
        }
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


def retrieved(
    rows: Rows, caller: Caller, cse: CSE, resource: Resource, request: Request, most: int
) -> tuple[Response, list[Resource]]:
    """The answer that shows a resource, what is under it, or both, as the request wants it; and
    those whose attributes it shows.
    """
    end = end_of_life(rows, resource)
    attributes = attributes_of(resource, end)
    if request.content is Content.ATTRIBUTES:
        if request.attributes:
            attributes = {n: value for n, value in attributes.items() if n in request.attributes}
        return Response(codes.OK, document_of(resource, attributes)), [resource]
    found, is_partial = subtree(rows, caller, resource, request, most)
    document: Any
    if request.content is Content.ADDRESSES:
        document = addresses(cse, request, found)
    elif request.content in (Content.WITH_CHILDREN, Content.CHILDREN):
        document = tree(rows, resource, found, request.content)
    elif request.content is Content.CHILD_REFERENCES:
        document = {"m2m:rrl": {"rrf": references(cse, request, found)}}
    else:
        children = {"ch": references(cse, request, found)}
        document = document_of(resource, attributes | children)
    # The first result has the number 1, so the next one's is one more than what was passed.
    following = request.filter.offset + len(found) + 1 if is_partial else None
    shows_children = request.content in (Content.WITH_CHILDREN, Content.CHILDREN)
    shown = found if shows_children else []
    return Response(codes.OK, document, is_partial, following), shown


def shown(
    rows: Rows,
    resource: Resource,
    content: Content,
    asked: Mapping[str, Any] | None = None,
    before: Resource | None = None,
) -> dict[str, Any] | None:
    """The document of a resource that was created or updated, as far as it is wanted."""
    if content is Content.NOTHING:
        return None
    end = end_of_life(rows, resource)
    attributes = attributes_of(resource, end)
    if content is Content.CHANGED:
        former = attributes_of(before, end) if before else {}
        attributes = changed_attributes(former, asked or {}, attributes)
    return document_of(resource, attributes)


def created(rows: Rows, kept: Resource, content: Content, given: Mapping[str, Any]) -> Response:
    """The response to a creation that gave these attributes."""
    document: dict[str, Any] | None
    if content is Content.ADDRESS:
        document = {"m2m:uri": kept.path}
    elif content is Content.ADDRESS_AND_ATTRIBUTES:
        document = {"m2m:rce": {"uri": kept.path, **(shown(rows, kept, Content.ATTRIBUTES) or {})}}
    else:
        document = shown(rows, kept, content, given)
    return Response(codes.CREATED, document, place=kept.path)

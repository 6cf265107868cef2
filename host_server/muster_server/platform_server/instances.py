# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Content instances: a container's counters, the oldest making room for the newest, and those that
are not to be retrieved, or not often.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from muster_server.document import compact_json
from muster_server.platform_server import resource_types as types
from muster_server.platform_server.addressing import Target
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.response_codes import (
    NotAcceptable,
    NotFound,
    OperationNotAllowed,
)
from muster_server.store.platform import Resource, Rows


def content_size(content: Any) -> int:
    """Bytes of a text, or of the compact JSON of anything else."""
    is_text = isinstance(content, str)
    text = content if is_text else compact_json(content)
    return len(text.encode())


def append(rows: Rows, container: Resource, instance: Resource, bounds: Bounds) -> Resource:
    """Keep the instance as the container's latest; its oldest ones go if there are too many.

    NotAcceptable if the instance alone is more than the container's `mbs`.
    """
    size = content_size(instance.attributes["con"])
    most_bytes = container.attributes.get("mbs")
    if most_bytes is not None and size > most_bytes:
        raise NotAcceptable(f"con: {size} bytes, and the container's mbs is {most_bytes}")
    counts = dict(container.attributes)
    counts["cni"] += 1
    counts["cbs"] += size
    counts["st"] += 1
    sized = {**instance.attributes, "cs": size, "st": counts["st"]}
    kept = rows.add(instance.but(attributes=sized))
    rows.change_counts(trimmed(rows, container.but(attributes=counts), bounds))
    return kept


def trimmed(rows: Rows, container: Resource, bounds: Bounds) -> Resource:
    """The container after its oldest instances were removed, as far as its limits ask for it."""
    counts = dict(container.attributes)
    most = min(counts.get("mni", bounds.instances_per_container), bounds.instances_per_container)
    most_bytes = counts.get("mbs")
    while counts["cni"] > most or (most_bytes is not None and counts["cbs"] > most_bytes):
        oldest = rows.edge(container.ri, types.CONTENT_INSTANCE, newest=False)
        if oldest is None:
            break
        rows.remove_leaf(oldest.ri)
        counts["cni"] -= 1
        counts["cbs"] -= oldest.attributes["cs"]
    return container.but(attributes=counts)


def opened(rows: Rows, before: Resource, after: Resource) -> Resource:
    """The container after an update: what was put in while `disr` kept it from being retrieved
    is removed before anybody can.
    """
    if not before.attributes.get("disr") or after.attributes.get("disr"):
        return after
    rows.remove_children(after.ri, types.CONTENT_INSTANCE)
    return after.but(attributes={**after.attributes, "cni": 0, "cbs": 0})


def check_retrievable(rows: Rows, resource: Resource) -> None:
    """Raises OperationNotAllowed for an instance whose container has `disr`."""
    if resource.ty == types.CONTENT_INSTANCE:
        check_enabled(rows.resource(resource.pi))


def check_enabled(container: Resource | None) -> None:
    """Raises OperationNotAllowed if what is in this container is not to be retrieved."""
    if container is not None and container.attributes.get("disr"):
        raise OperationNotAllowed("disr: retrieval is disabled in this container")


def is_counted(resource: Resource) -> bool:
    """Tell whether it may be retrieved only so often."""
    return resource.ty == types.CONTENT_INSTANCE and "dcnt" in resource.attributes


def shown_the_last_time(rows: Rows, shown: Iterable[Resource]) -> list[Resource]:
    """Count that these were retrieved; those that were retrieved as often as they may be."""
    counted = [leaf for leaf in shown if is_counted(leaf)]
    for leaf in counted:
        left = leaf.attributes["dcnt"] - 1
        if left:
            rows.change_counts(leaf.but(attributes={**leaf.attributes, "dcnt": left}))
    return [leaf for leaf in counted if leaf.attributes["dcnt"] <= 1]


def meant(rows: Rows, target: Target) -> Resource:
    """The resource of an address, which may be the latest or the oldest of a container.

    Raises NotFound if there is none, OperationNotAllowed if it is not to be retrieved.
    """
    if target.edge is None:
        return target.resource
    check_enabled(target.resource)
    is_latest = target.edge == "la"
    found = rows.edge(target.resource.ri, types.CONTENT_INSTANCE, newest=is_latest)
    if found is None:
        raise NotFound("the container has no content instance")
    return found


def count_out(rows: Rows, leaving: Iterable[Resource]) -> None:
    """Take instances that are about to be removed out of their containers' counters."""
    for container_id, group in groupby(sorted(leaving, key=_container_id), _container_id):
        container = rows.resource(container_id)
        if container is None:
            continue
        counts = dict(container.attributes)
        for instance in group:
            counts["cni"] -= 1
            counts["cbs"] -= instance.attributes["cs"]
        rows.change_counts(container.but(attributes=counts))


def _container_id(instance: Resource) -> str:
    return instance.pi

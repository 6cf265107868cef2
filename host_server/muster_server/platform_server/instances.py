# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Content instances: a container's counters, and the oldest making room for the newest."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any

from muster_server.document import compact_json
from muster_server.platform_server import resource_types as types
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.response_codes import NotAcceptable
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
    kept = rows.add(replace(instance, attributes=sized))
    rows.change_counts(trimmed(rows, replace(container, attributes=counts), bounds))
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
        rows.remove(oldest.ri)
        counts["cni"] -= 1
        counts["cbs"] -= oldest.attributes["cs"]
    return replace(container, attributes=counts)


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
        rows.change_counts(replace(container, attributes=counts))


def _container_id(instance: Resource) -> str:
    return instance.pi

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Addresses of resources: structured, unstructured or SP-relative (TS-0001 6.2.3).

HTTP paths follow TS-0009 6.2.2.1: /cse-in/press-4 and /Cab12 are CSE-relative, and
/~/id-in/cse-in/press-4 is SP-relative. In attributes the latter is /id-in/cse-in/press-4.
"""

from dataclasses import dataclass

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.response_codes import NotFound
from muster_server.store.platform import Resource, Rows

# Virtual children of a container: its latest and its oldest content instance.
_EDGES = ("la", "ol")


@dataclass(frozen=True)
class CSE:
    """Name and id of the CSEBase."""

    name: str = "cse-in"
    id: str = "id-in"


@dataclass(frozen=True)
class Target:
    """A resource, or with `edge` "la" or "ol" the container whose instance is meant."""

    resource: Resource
    edge: str | None = None


def from_http_path(path: str) -> str:
    """The oneM2M address in an HTTP path."""
    if path.startswith("/~/"):
        return path[2:]
    if path.startswith("/_/"):
        return "//" + path[3:]
    return path[1:]


def locate(rows: Rows, cse: CSE, address: str) -> Target:
    """NotFound if there is no such resource here."""
    relative = _cse_relative(cse, address)
    head, _, last = relative.rpartition("/")
    if last in _EDGES and head:
        container = _find(rows, cse, head)
        if container is not None and container.ty == types.CONTAINER:
            return Target(container, last)
    resource = _find(rows, cse, relative)
    if resource is None:
        raise NotFound("no resource at the address that the request names")
    return Target(resource)


def _cse_relative(cse: CSE, address: str) -> str:
    if not address.startswith("/"):
        return address
    prefix = f"/{cse.id}/"
    if not address.startswith(prefix):
        raise NotFound(f'this CSE answers for "{prefix}…" only')
    return address[len(prefix) :]


def _find(rows: Rows, cse: CSE, relative: str) -> Resource | None:
    first, _, rest = relative.partition("/")
    if first in (cse.name, "-"):
        return rows.resource_at(f"{cse.name}/{rest}" if rest else cse.name)
    return None if rest else rows.resource(first)

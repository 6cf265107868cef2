# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Addresses of resources: structured or unstructured, SP-relative or absolute (TS-0001 6.2.3).

HTTP paths follow TS-0009 6.2.2.1: /cse-in/press-4 and /Cab12 are CSE-relative,
/~/id-in/cse-in/press-4 is SP-relative, /_/m2m.example/id-in/cse-in/press-4 absolute. In attributes
the latter two are /id-in/cse-in/press-4 and //m2m.example/id-in/cse-in/press-4.
"""

from dataclasses import dataclass

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.response_codes import BadRequest, NotFound
from muster_server.store.platform import Resource, Rows

# Virtual children of a container: its latest and its oldest content instance.
_EDGES = ("la", "ol")


@dataclass(frozen=True)
class CSE:
    """Name and id of the CSEBase, its service provider, and where it can be reached."""

    name: str = "cse-in"
    id: str = "id-in"
    provider: str = ""  # e.g. "m2m.example"; "": absolute addresses are nobody's
    points_of_access: tuple[str, ...] = ()


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
    """NotFound if there is no such resource here; BadRequest if that is no address."""
    if address.endswith("/"):
        raise BadRequest("the address: wanted no slash at its end")
    relative = cse_relative(cse, address)
    head, _, last = relative.rpartition("/")
    if last in _EDGES and head:
        container = _find(rows, cse, head)
        if container is not None and container.ty == types.CONTAINER:
            return Target(container, last)
    resource = _find(rows, cse, relative)
    if resource is None:
        raise NotFound("no resource at the address that the request names")
    return Target(resource)


def cse_relative(cse: CSE, address: str) -> str:
    """The address from this CSE on: "cse-in/x" or "Cab12". NotFound if it is another's, BadRequest
    if it is none.
    """
    if address.startswith("//"):
        provider, _, rest = address[2:].partition("/")
        if not cse.provider or provider != cse.provider:
            raise NotFound("that is the address of another service provider's resource")
        address = f"/{rest}"
    if not address.startswith("/"):
        return address
    prefix = f"/{cse.id}/"
    if address == f"/{cse.id}":
        raise BadRequest(f'the address: wanted "{prefix}…", for a CSE-ID alone is no resource')
    if not address.startswith(prefix):
        raise NotFound(f'this CSE answers for "{prefix}…" only')
    return address[len(prefix) :]


def _find(rows: Rows, cse: CSE, relative: str) -> Resource | None:
    first, _, rest = relative.partition("/")
    if first in (cse.name, "-"):
        return rows.resource_at(f"{cse.name}/{rest}" if rest else cse.name)
    return None if rest else rows.resource(first)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""From a request to what its transaction is about, so that those of others run beside it.

That is its originator's account, and what lies under the CSEBase by the name that its address
begins with; for a new AE or node its own name, and the AEs that the node hosts. Where a request
does not say enough, nothing runs beside it; where it says too little, the store finds out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from muster_server.platform_server import addressing
from muster_server.platform_server import resource_types as types
from muster_server.platform_server.access import ADMIN
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.primitives import Operation, Request
from muster_server.platform_server.response_codes import RequestRefused
from muster_server.store.platform_turns import root_of

# Each is a lock; whoever is about more than these runs alone.
MOST = 16
_ASSIGNED = ("", "C")  # the originator is whose account the token is of

PathOf = Callable[[str], str | None]  # of a resource, by its id


def about(cse: CSE, request: Request, path_of: PathOf) -> frozenset[str] | None:
    """Names and accounts that the request may change; None if it does not say."""
    root = _root(cse, request.to, path_of)
    if root is None or request.originator in _ASSIGNED:
        return None
    given = _given(request.document)
    own = [] if request.originator == ADMIN else [request.originator]
    if not root:
        names = list(_new(request, given))
        return _few([*names, *own, *_hosted(given)]) if names else None
    return _few([root, *own, *_hosted(given)])


def _few(names: list[str]) -> frozenset[str] | None:
    return frozenset(names) if len(names) <= MOST else None


def _root(cse: CSE, address: str, path_of: PathOf) -> str | None:
    """The first name under the CSEBase, "" for itself, None if that is nobody's address."""
    try:
        relative = addressing.cse_relative(cse, address)
    except RequestRefused:
        return None
    first, _, _ = relative.partition("/")
    if first in (cse.name, "-"):
        return root_of(relative)
    path = path_of(first)
    return None if path is None else root_of(path)


def _given(document: Mapping[str, Any]) -> Mapping[str, Any]:
    given = next(iter(document.values()), None)
    return given if isinstance(given, dict) else {}


def _new(request: Request, given: Mapping[str, Any]) -> Iterator[str]:
    if request.operation is not Operation.CREATE:
        return
    name = given.get("rn")
    if isinstance(name, str) and request.ty in (types.AE, types.NODE):
        yield name
    elif name is None and request.ty == types.AE:
        yield request.originator


def _hosted(given: Mapping[str, Any]) -> Iterator[str]:
    hosted = given.get("hael")
    if isinstance(hosted, list):
        yield from (name for name in hosted if isinstance(name, str))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rights that access control policies give an originator (TS-0001 7.1.3, 9.6.2, 10.1.4).

A resource with `acpi` is governed by the policies that it names, one without by those of the
nearest resource above it that has some. `pv` says who may do what with what is governed, `pvs` who
may do what with the policy itself, and change which policies govern a resource. Policies only ever
add to the rules of access.py: an owner and the administrator cannot be locked out.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.addressing import CSE, locate
from muster_server.platform_server.response_codes import BadRequest, NotFound
from muster_server.store.platform import Resource, Rows

CREATE, RETRIEVE, UPDATE, DELETE, NOTIFY, DISCOVERY = 1, 2, 4, 8, 16, 32


class Policies:
    """The rights of one originator, in one transaction. Nothing is read before it is asked."""

    def __init__(self, rows: Rows, originator: str) -> None:
        self._rows = rows
        self._originator = originator

    @cached_property
    def names(self) -> frozenset[str]:
        """The names by which a policy may mean this originator: its own, and its groups' ids."""
        return self._rows.policies.names_of(self._originator)

    def allow(self, operation: int, resource: Resource, ty: int | None = None) -> bool:
        """Tell whether a policy lets the originator do this; for a creation, `ty` under it."""
        if resource.ty == types.POLICY:
            return self._is_in(resource.attributes["pvs"], operation, resource.ty, ty)
        return any(
            self._is_in(policy.attributes["pv"], operation, resource.ty, ty)
            for policy in self._governing(resource)
        )

    def allow_governing(self, resource: Resource) -> bool:
        """Tell whether the originator may change which policies govern the resource."""
        return any(
            self._is_in(policy.attributes["pvs"], UPDATE, types.POLICY, None)
            for policy in self._governing(resource)
        )

    def _governing(self, resource: Resource) -> Iterable[Resource]:
        anchor: Resource | None = resource
        if resource.governed_by is None:
            return
        if resource.governed_by != resource.ri:
            anchor = self._rows.resource(resource.governed_by)
        for ri in anchor.attributes.get("acpi", ()) if anchor else ():
            policy = self._rows.resource(ri)
            if policy is not None and policy.ty == types.POLICY:
                yield policy

    def _is_in(self, allowed: Mapping[str, Any], operation: int, of: int, ty: int | None) -> bool:
        return any(
            rule["acop"] & operation
            and _fits(rule.get("acod"), of, ty)
            and any(map(self._is_meant, rule["acor"]))
            for rule in allowed.get("acr", ())
        )

    def _is_meant(self, name: str) -> bool:
        return name in self.names or ("*" in name and _matches(name, self._originator))


def settled(rows: Rows, cse: CSE, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes with policies, originators, groups and members by their ids.

    BadRequest if a policy that is named does not exist, or a group is too small for its members.
    """
    known = {
        name: by_id(rows, cse, attributes[name])
        for name, by_id in _BY_ID.items()
        if attributes.get(name) is not None
    }
    after = {**attributes, **known}
    if "mid" in after and len(after["mid"]) > after["mnm"]:
        raise BadRequest(f"mid: {len(after['mid'])} members, and mnm is {after['mnm']}")
    return after | {"cnm": len(after["mid"])} if "mid" in after else after


def _resolved(rows: Rows, cse: CSE, addresses: Iterable[str]) -> list[str]:
    found = []
    for address in addresses:
        try:
            policy = locate(rows, cse, address).resource
        except NotFound:
            policy = None
        if policy is None or policy.ty != types.POLICY:
            raise BadRequest(f"acpi: there is no access control policy at {address[:64]}")
        found.append(policy.ri)
    return list(dict.fromkeys(found))


def _rules_by_id(rows: Rows, cse: CSE, allowed: Mapping[str, Any]) -> dict[str, Any]:
    rules = [
        {**rule, "acor": [_id_of(rows, cse, name) for name in rule["acor"]]}
        for rule in allowed.get("acr", ())
    ]
    return {"acr": rules} if allowed else {}


def _members_by_id(rows: Rows, cse: CSE, members: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(_id_of(rows, cse, name) for name in members))


def _id_of(rows: Rows, cse: CSE, name: str) -> str:
    short = name.removeprefix(f"/{cse.id}/")
    if "*" in name or "/" not in short:
        return short
    try:
        return locate(rows, cse, name).resource.ri
    except NotFound:
        return name  # nobody here; it may be somebody's at another CSE


def _fits(details: Iterable[Mapping[str, Any]] | None, of: int, ty: int | None) -> bool:
    if details is None:
        return True
    return any(
        detail.get("ty", of) == of and (ty is None or ty in detail.get("chty", (ty,)))
        for detail in details
    )


def _matches(pattern: str, name: str) -> bool:
    """Tell whether the name fits, where each "*" stands for any characters."""
    first, *others = pattern.split("*")
    if not name.startswith(first):
        return False
    at = len(first)
    *middle, last = others
    for part in middle:
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(name) - at >= len(last) and name.endswith(last)


_BY_ID: Mapping[str, Callable[[Rows, CSE, Any], Any]] = {
    "acpi": _resolved,
    "pv": _rules_by_id,
    "pvs": _rules_by_id,
    "mid": _members_by_id,
}

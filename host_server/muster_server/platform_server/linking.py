# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Links of AEs and nodes: `hael` of the node and `nl` of the AE say the same thing.

The administrator decides: the configuration server creates a device's node with the account's
originator in `hael`, before or after that originator registers. As soon as there are both, the
platform sets the AE's `nl`. A device may state the same link itself, but not another: `nl` gives
access to the node, and a device could take somebody else's. `hael` stays when the AE goes, so
that a device which registers again finds its node.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.access import Caller
from muster_server.platform_server.addressing import CSE, locate
from muster_server.platform_server.management import DEVICE_INFO
from muster_server.platform_server.response_codes import BadRequest, Conflict, NoPrivilege
from muster_server.store.platform import Resource, Rows


def node_of(rows: Rows, ae_id: str) -> Resource | None:
    """The node that hosts this AE according to its `hael`."""
    hosts = rows.marked("hael", [ae_id], limit=1)
    return hosts[0] if hosts else None


def linked_node_id(
    rows: Rows, cse: CSE, caller: Caller, ae_id: str, asked: str | None
) -> str | None:
    """Return what the AE's `nl` becomes; `asked` is the node that the request names, if it does.

    Raises BadRequest if the address is not that of a node, NotFound if there is nothing,
    NoPrivilege if the node does not host this AE.
    """
    if asked is None:
        return rows.holders("hael", [ae_id]).get(ae_id)
    host = node_of(rows, ae_id)
    node = locate(rows, cse, asked).resource
    if node.ty != types.NODE:
        raise BadRequest("nl: wanted the address of a node")
    if host is not None and host.ri == node.ri:
        return node.ri
    if not caller.is_admin:
        raise NoPrivilege("nl: the node does not name this AE in hael; its administrator can")
    if host is not None:
        rows.change(_without(host, ae_id))
        node = rows.resource(node.ri) or node
    hosted = [*node.attributes.get("hael", ()), ae_id]
    rows.change(replace(node, attributes={**node.attributes, "hael": hosted}))
    return node.ri


def unlink(rows: Rows, caller: Caller, ae_id: str) -> None:
    """Take the AE from its node's `hael`, because its `nl` is removed.

    Raises NoPrivilege if the caller is not the administrator.
    """
    if not caller.is_admin:
        raise NoPrivilege("nl: only the administrator separates an AE from its node")
    host = node_of(rows, ae_id)
    if host is not None:
        rows.change(_without(host, ae_id))


def check_hosted(rows: Rows, hosted: list[str], node_id: str | None = None) -> None:
    """Conflict if another node than this hosts one of them: an AE has one `nl`."""
    for other in rows.marked("hael", hosted):
        if other.ri != node_id:
            raise Conflict(f"hael: an AE of these is hosted by {other.path}")


def check_keeper(caller: Caller, parent: Resource, given: Mapping[str, Any]) -> None:
    """Raise NoPrivilege if a device makes another object under its node than its [deviceInfo]."""
    is_its_node = parent.ty == types.NODE and parent.ri == caller.node_id and not caller.is_admin
    if is_its_node and given.get("mgd") not in (None, DEVICE_INFO):
        raise NoPrivilege("the configuration server makes that object, and keeps it")


def follow_node(rows: Rows, node_id: str, before: list[str], after: list[str]) -> None:
    """Let the AEs know that their node's `hael` changed. One that leaves it may be registered
    meanwhile by whoever knows the node yet, so nobody else runs beside that.
    """
    if set(before) - set(after):
        rows.turn.check_alone()
    for ae_id in set(before) ^ set(after):
        ae = rows.resource(ae_id)
        if ae is None or ae.ty != types.AE:
            continue
        attributes = {name: value for name, value in ae.attributes.items() if name != "nl"}
        if ae_id in after:
            attributes["nl"] = node_id
        rows.change(replace(ae, attributes=attributes))


def _without(node: Resource, ae_id: str) -> Resource:
    hosted = [hosted_id for hosted_id in node.attributes["hael"] if hosted_id != ae_id]
    attributes = {name: value for name, value in node.attributes.items() if name != "hael"}
    return replace(node, attributes={**attributes, "hael": hosted} if hosted else attributes)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Rules of access: the built-in ones, to which access control policies may add (policies.py).

The administrator's originator may do everything. A device's originator

- may register one AE under the CSEBase, and once registered read the CSEBase;
- may do everything in its own AE's subtree;
- may read the node that its AE is linked to, and create, read and update what is under it,
  because a device knows best which firmware it runs.

A *reader* may retrieve the CSEBase and whatever is owned by an originator that its policy names,
discovers that, and may do nothing else. An *application* may besides register an AE of its own,
subscribe to what it may retrieve, and put commands into containers of that name.

Whoever made a subscription or a request may do everything with it. All else is up to policies in
the tree; to a reader they open nothing but retrieval and discovery.
"""

from collections.abc import Callable
from dataclasses import dataclass

from muster_server.platform_server import management, policies
from muster_server.platform_server import resource_types as types
from muster_server.platform_server.policies import Policies
from muster_server.platform_server.primitives import Operation
from muster_server.store.platform import Reach, Resource

ADMIN = "CAdmin"
DEVICE, READER, APPLICATION = "device", "reader", "application"
COMMANDS = "commands"  # the container in which devices look for what they are told to do

_BITS = {
    Operation.CREATE: policies.CREATE,
    Operation.RETRIEVE: policies.RETRIEVE,
    Operation.UPDATE: policies.UPDATE,
    Operation.DELETE: policies.DELETE,
}


@dataclass(frozen=True)
class Caller:
    """An originator whose token has been checked, with its AE if it has registered one."""

    originator: str
    is_admin: bool
    ae: Resource | None
    kind: str = DEVICE
    policy: str | None = None  # of a reader or an application: the name of what it may read
    is_named: Callable[[str], bool] = lambda originator: False  # by that policy
    policies: Policies | None = None

    @property
    def node_id(self) -> str | None:
        """The id of the node that its AE is linked to."""
        return self.ae.attributes.get("nl") if self.ae else None


def reach(caller: Caller, *, discovers: bool = False) -> Reach | None:
    """Return what the caller discovers under a resource, as far as `may` lets it retrieve that.

    None means everything.
    """
    if caller.is_admin:
        return None
    names = caller.policies.names if caller.policies is not None else frozenset[str]()
    operation = policies.DISCOVERY if discovers else policies.RETRIEVE
    return Reach(caller.originator, caller.node_id, caller.policy, names, operation)


def may(
    caller: Caller,
    operation: Operation,
    resource: Resource,
    ty: int | None = None,
    *,
    discovers: bool = False,
) -> bool:
    """Tell whether the caller may do this; for a creation, `ty` under this parent."""
    if caller.is_admin or _RULES[caller.kind](caller, operation, resource, ty):
        return True
    if resource.ty in types.CREATORS_OWN and resource.creator == caller.originator:
        return True
    if caller.policies is None or (caller.kind == READER and operation is not Operation.RETRIEVE):
        return False
    bit = policies.DISCOVERY if discovers else _BITS[operation]
    return caller.policies.allow(bit, resource, ty)


def may_govern(caller: Caller, resource: Resource) -> bool:
    """Tell whether the caller may say which policies govern the resource."""
    if caller.is_admin or _RULES[caller.kind](caller, Operation.UPDATE, resource, None):
        return True
    return (
        caller.kind != READER
        and caller.policies is not None
        and caller.policies.allow_governing(resource)
    )


def _device(caller: Caller, operation: Operation, resource: Resource, ty: int | None) -> bool:
    if resource.owner == caller.originator:
        return True
    if resource.ty == types.CSE_BASE:
        if operation is Operation.CREATE:
            return ty == types.AE
        return operation is Operation.RETRIEVE and caller.ae is not None
    if caller.node_id is None:
        return False
    if resource.ri == caller.node_id:
        return operation in (Operation.CREATE, Operation.RETRIEVE)
    if resource.pi != caller.node_id:
        return False
    # It says what it is itself; what it is to run on is told by the configuration server.
    is_its_own = resource.attributes.get("mgd") == management.DEVICE_INFO
    return operation is Operation.RETRIEVE or (operation is Operation.UPDATE and is_its_own)


def _reader(caller: Caller, operation: Operation, resource: Resource, ty: int | None) -> bool:
    if operation is not Operation.RETRIEVE:
        return False
    if resource.owner is None:
        return resource.ty == types.CSE_BASE
    return caller.is_named(resource.owner)


def _application(caller: Caller, operation: Operation, resource: Resource, ty: int | None) -> bool:
    if resource.owner == caller.originator or _reader(caller, operation, resource, ty):
        return True
    if operation is not Operation.CREATE:
        return False
    if resource.ty == types.CSE_BASE:
        return ty == types.AE
    if resource.owner is None or not caller.is_named(resource.owner):
        return False
    if ty == types.SUBSCRIPTION:
        return True
    is_for_commands = resource.ty == types.CONTAINER and resource.rn == COMMANDS
    return is_for_commands and ty == types.CONTENT_INSTANCE


_RULES = {DEVICE: _device, READER: _reader, APPLICATION: _application}

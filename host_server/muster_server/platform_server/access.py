# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Rules of access. One built-in rule stands in for oneM2M's accessControlPolicies.

The administrator's originator may do everything. Any other originator

- may register one AE under the CSEBase, and once registered read the CSEBase;
- may do everything in its own AE's subtree;
- may read the node that its AE is linked to, and create, read and update what is under it,
  because a device knows best which firmware it runs;
- may do nothing else, and discovers nothing else.

A *reader* is an account that may retrieve the CSEBase and whatever is owned by an originator that
its policy names, discovers that, and may do nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.primitives import Operation
from muster_server.store.platform import Reach, Resource

ADMIN = "CAdmin"


@dataclass(frozen=True)
class Caller:
    """An originator whose token has been checked, with its AE if it has registered one."""

    originator: str
    is_admin: bool
    ae: Resource | None
    policy: str | None = None  # of a reader
    is_named: Callable[[str], bool] = lambda originator: False  # by that policy

    @property
    def node_id(self) -> str | None:
        """The id of the node that its AE is linked to."""
        return self.ae.attributes.get("nl") if self.ae else None


def reach(caller: Caller) -> Reach | None:
    """Return what the caller discovers under a resource, as far as `may` lets it retrieve that.

    None means everything.
    """
    if caller.is_admin:
        return None
    return Reach(caller.originator, caller.node_id, caller.policy)


def may(caller: Caller, operation: Operation, resource: Resource, ty: int | None = None) -> bool:
    """Tell whether the caller may do this; for a creation, `ty` under this parent."""
    if caller.is_admin:
        return True
    if caller.policy is not None:
        return operation is Operation.RETRIEVE and _is_readable(caller, resource)
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
    is_under_its_node = resource.pi == caller.node_id
    return is_under_its_node and operation in (Operation.RETRIEVE, Operation.UPDATE)


def _is_readable(caller: Caller, resource: Resource) -> bool:
    if resource.owner is None:
        return resource.ty == types.CSE_BASE
    return caller.is_named(resource.owner)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Conditions of where a resource lies, and whether somebody may see it, as parts of a question.

`column` are the columns of the resources, `mark` those of their marks.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from muster_server.store.platform_policies import RETRIEVAL_DISABLED, opened_to
from muster_server.store.platform_readers import is_among
from muster_server.store.platform_records import Reach

INSTANCE, REQUEST, SUBSCRIPTION = 4, 17, 23  # types


def shut(mark: Any) -> sa.Select[Any]:
    """The containers whose instances are not to be retrieved."""
    return sa.select(mark.ri).where(mark.kind == RETRIEVAL_DISABLED)


def beneath(column: Any, path: str) -> Any:
    """The condition that it lies under this path."""
    if "/" not in path:  # the CSEBase, above all others
        return column.path != path
    # "0" follows "/": all paths in between begin with the path and a "/".
    return (column.path > f"{path}/") & (column.path < f"{path}0")


def within(column: Any, reach: Reach, is_member: Callable[[str, Any], Any] = is_among) -> Any:
    """The condition that it is within reach; `is_member` is the one that a policy names whom it
    belongs to.
    """
    own = (column.owner == reach.owner) | _made_by(column, reach.owner)
    if reach.node_id is not None:
        own |= (column.ri == reach.node_id) | (column.pi == reach.node_id)
    if reach.policy is not None:
        own |= is_member(reach.policy, column.owner)
    if reach.names:
        opened = opened_to(reach.names, reach.owner, reach.operation)
        own |= column.governed_by.in_(opened)
    return own


def _made_by(column: Any, originator: str) -> Any:
    # Whoever subscribes or asks owns the subscription or request, wherever it stands.
    is_own = column.ty.in_((REQUEST, SUBSCRIPTION))
    return (column.creator == originator) & is_own

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Resources that leave the tree: what stays is brought in agreement with it."""

from muster_server.platform_server import instances, linking
from muster_server.platform_server import resource_types as types
from muster_server.store.platform import Resource, Rows
from muster_server.store.platform_history import Sight


def loosen(rows: Rows, leaving: list[Resource]) -> None:
    """Bring what stays in agreement with the removal of these."""
    instances.count_out(rows, (leaf for leaf in leaving if leaf.ty == types.CONTENT_INSTANCE))
    for node in leaving:
        if node.ty == types.NODE:
            linking.follow_node(rows, node.ri, node.attributes.get("hael", []), [])


def remove_expired(rows: Rows, ended: str, now: float) -> None:
    """Remove what has ended by that time, and note it now. Raises NotAlone if there is something,
    and others may be about it.
    """
    expired = rows.expired(ended)
    if expired:
        rows.turn.check_alone()
        for leaf in expired:
            if leaf.ty == types.AE:
                rows.history.note(leaf.ri, Sight(now, "expired"))
        loosen(rows, expired)
        rows.remove_expired(ended)

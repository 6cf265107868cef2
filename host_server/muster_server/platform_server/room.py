# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Room for a new resource: its place in the tree, its name, and its AE's share of the platform."""

from muster_server.platform_server import resource_types as types
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.response_codes import Conflict, NotAcceptable
from muster_server.store.platform import Resource, Rows


def check(rows: Rows, draft: Resource, bounds: Bounds) -> None:
    """Look for room, and at the name unless whoever keeps the resource finds that just as soon.

    Raises NotAcceptable if there is no room, Conflict if the name is taken.
    """
    if draft.path.count("/") > bounds.depth:
        raise NotAcceptable(f"at most {bounds.depth} levels under the CSEBase")
    if not _is_next_to_be_kept(draft):
        _check_free(rows, draft)
    if draft.owner is None or draft.ty == types.AE:
        return
    if rows.asked.owns(draft.owner, bounds.resources_per_ae):
        _check_free(rows, draft)
        raise NotAcceptable(
            f"the AE has {bounds.resources_per_ae} resources already; delete some, or give its "
            "containers a smaller mni"
        )


def _is_next_to_be_kept(draft: Resource) -> bool:
    """Tell whether nothing else can be wrong with it once it has room."""
    is_own_name = draft.rn == draft.ri  # of an AE, its originator; else made up here
    if draft.ty == types.AE:
        return is_own_name and "nl" not in draft.attributes
    return draft.ty == types.CONTAINER or (draft.ty == types.CONTENT_INSTANCE and is_own_name)


def _check_free(rows: Rows, draft: Resource) -> None:
    if rows.resource_at(draft.path) is not None:
        raise Conflict(f"rn: {draft.path} exists already")

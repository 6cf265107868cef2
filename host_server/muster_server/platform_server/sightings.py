# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requests that are worth remembering, and what they say of a device's registration."""

from typing import Any

from muster_server.errors import Unauthorized
from muster_server.platform_server import resource_types as types
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.primitives import Operation, Request
from muster_server.store.platform import Resource, Rows
from muster_server.store.platform_history import Sight

_READINGS = "data"
_OF_AN_AE = {Operation.UPDATE: "renewed", Operation.DELETE: "deregistered"}

Refusal = codes.RequestRefused | Unauthorized


def note_done(rows: Rows, request: Request, target: Resource, now: float) -> None:
    """The request was carried out on, or under, the target."""
    if request.operation is Operation.CREATE and request.ty == types.AE:
        rows.history.note(request.originator, Sight(now, "registered"))
    elif request.operation is Operation.CREATE and request.ty == types.CONTENT_INSTANCE:
        owner = target.owner if target.rn == _READINGS else None
        if owner is not None:
            rows.history.note_first(owner, Sight(now, "first_reading"))
    elif target.ty == types.AE and request.operation in _OF_AN_AE:
        rows.history.note(target.ri, Sight(now, _OF_AN_AE[request.operation]))


def is_notable(request: Request, error: Refusal) -> bool:
    """Tell whether the refusal says something about a registration."""
    if not request.originator:
        return False
    if isinstance(error, Unauthorized | codes.SecurityAssociationRequired):
        return True
    return request.operation is Operation.CREATE and request.ty == types.AE


def note_refused(rows: Rows, request: Request, error: Refusal, now: float) -> None:
    """Remember it, if there is such an account: nobody else can fill the store."""
    originator = request.originator
    if not rows.has_account(originator):
        return
    if isinstance(error, codes.AlreadyRegistered):
        rows.history.note(originator, _came_again(rows.resource(originator), request, now))
        return
    text = "HTTP 401" if isinstance(error, Unauthorized) else f"RSC {error.rsc}"
    rows.history.note(originator, Sight(now, "refused", "platform_refused", text))


def _came_again(entity: Resource | None, request: Request, now: float) -> Sight:
    """A device that lost its answer or restarted; or another device with its identity."""
    asked: Any = request.document.get("m2m:ae")
    labels = asked.get("lbl") if isinstance(asked, dict) else None
    kept = entity.attributes.get("lbl") if entity is not None else None
    if labels == kept:
        return Sight(now, "came_again")
    return Sight(now, "refused", "platform_conflict", "another device has this identity")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of codes with which a device goes to its next owner."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from muster_server.api import people_views, views
from muster_server.api.description import Description
from muster_server.api.people_bodies import TakenTransfer
from muster_server.api.reading import read_body
from muster_server.errors import NotFound
from muster_server.portal.access import Asking, Owner
from muster_server.portal.service import Portal
from muster_server.portal.transfers import Transfers
from muster_server.web import address_of, body_within, json_response, told_once

_PATH = "/v1/devices/{device_id}/transfer-code"
_BODY_LIMIT_BYTES = 4096
Body = Annotated[bytes, Depends(body_within(_BODY_LIMIT_BYTES))]


def add_transfers(
    app: FastAPI, portal: Portal, transfers: Transfers, guard: list[Any], described: Description
) -> None:
    """The routes."""
    _add_giving(app, portal, transfers, guard, described)
    taken = described.of(views.Device, TakenTransfer, 201)

    @app.post("/v1/transfers", dependencies=guard, **taken)
    def take_over(request: Request, body: Body, caller: Asking) -> Response:
        """Take a device over from its former owner."""
        new = read_body(TakenTransfer, body)
        caller.need_profile(new.profile)
        transfer = transfers.check(caller, new.code, address_of(request))
        request.state.about = transfer.device_id
        device_id = transfers.take(caller, transfer, new.profile, new.name)
        return json_response(portal.device(device_id, caller.owner), 201)

    @app.get("/v1/transfers", dependencies=guard, **described.of(people_views.GivenAwayList))
    def list_given_away(owner: Owner) -> Response:
        """Devices that others have taken over, with what is left to do for the former owner."""
        found = [
            {"device_id": t.device_id, "to_do": transfers.left_to_former(owner, t.device_id)}
            for t in transfers.taken_from(owner)
        ]
        return json_response({"transfers": found})

    done = described.of(status=204)

    @app.post("/v1/devices/{device_id}/handed-over", dependencies=guard, **done)
    def all_done(device_id: str, owner: Owner) -> Response:
        """Note that nothing is left to do for the former owner."""
        if not transfers.left_to_former(owner, device_id):
            raise NotFound("there is nothing left to do for this device")
        transfers.done(owner, device_id)
        return Response(status_code=204)


def _add_giving(
    app: FastAPI, portal: Portal, transfers: Transfers, guard: list[Any], described: Description
) -> None:
    made = described.of(people_views.TransferCode, status=201)
    shown = described.of(people_views.OpenTransfer)

    @app.post(_PATH, dependencies=guard, **made)
    def make_transfer_code(device_id: str, caller: Asking) -> Response:
        """Make a code for the next owner; the device stays yours until it is entered."""
        code = transfers.make(caller, device_id)
        out = transfers.open_of(caller.owner, device_id)
        if out is None:  # somebody has withdrawn it meanwhile
            raise NotFound("no code is out for this device")
        about = {"device_id": out.device_id, "expires_at": out.expires_at}
        return told_once({**about, "code": code}, 201)

    @app.get(_PATH, dependencies=guard, **shown)
    def show_transfer_code(device_id: str, owner: Owner) -> Response:
        """Return whether a code is out, and until when; not the code."""
        device = portal.device(device_id, owner)
        out = transfers.open_of(owner, device["device_id"])
        if out is None:
            raise NotFound("no code is out for this device")
        names = ("device_id", "created_at", "expires_at")
        return json_response({**{n: getattr(out, n) for n in names}, "by": out.made_by})

    @app.delete(_PATH, dependencies=guard, **described.of(status=204))
    def withdraw_transfer_code(device_id: str, owner: Owner) -> Response:
        """Make the code good for nothing."""
        device = portal.device(device_id, owner)
        transfers.withdraw(owner, device["device_id"])
        return Response(status_code=204)

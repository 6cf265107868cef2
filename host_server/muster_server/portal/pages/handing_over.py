# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Handing a device over: a code for the next owner, its entry, and what is left to do for both."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.api.bodies import Transfer
from muster_server.api.reading import checked
from muster_server.errors import HostError, NotFound
from muster_server.portal.pages.adding import chosen_profile, shower
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing
from muster_server.portal.people import Visitor
from muster_server.web import address_of


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_giving(pages, ground)
    _add_taking(pages, ground)


def _add_giving(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request,
        visitor: Visitor,
        device: dict[str, Any],
        to_do: list[str] | None = None,
        code: str = "",
    ) -> Response:
        owner, device_id = visitor.caller.owner, device["device_id"]
        return ground.page(
            request,
            "hand_over.html",
            device=device,
            to_do=to_do,
            code=code,
            # The fragment stays in the browser: no log has it.
            link=f"{request.base_url}take-over#{code}" if code else "",
            out=ground.transfers.open_of(owner, device_id),
        )

    @pages.get("/devices/{device_id}/hand-over")
    def hand_over_page(request: Request, device_id: str, visitor: Changing) -> Response:
        owner = visitor.caller.owner
        try:
            device = ground.portal.device(device_id, owner)
        except NotFound:
            left = ground.transfers.left_to_former(owner, device_id)
            if not left:
                raise
            gone = {"device_id": device_id.upper(), "name": ""}
            return ground.page(
                request, "hand_over.html", device=gone, to_do=left, code="", link="", out=None
            )
        return shown(request, visitor, device)

    @pages.post("/devices/{device_id}/hand-over")
    def hand_over(request: Request, device_id: str, visitor: Changing) -> Response:
        owner = visitor.caller.owner
        device = ground.portal.device(device_id, owner)
        done = ground.portal.hand_over(device_id, owner)
        ground.transfers.withdraw(owner, device_id)
        return shown(request, visitor, device, done["to_do"])

    @pages.post("/devices/{device_id}/transfer-code")
    def make_transfer_code(request: Request, device_id: str, visitor: Changing) -> Response:
        code = ground.transfers.make(visitor.caller, device_id)
        device = ground.portal.device(device_id, visitor.caller.owner)
        return shown(request, visitor, device, code=code)

    @pages.post("/devices/{device_id}/withdraw-code")
    def withdraw_transfer_code(device_id: str, visitor: Changing) -> Response:
        device = ground.portal.device(device_id, visitor.caller.owner)
        ground.transfers.withdraw(visitor.caller.owner, device_id)
        return go(f"/devices/{device['device_id']}/hand-over")

    @pages.post("/devices/{device_id}/handed-over")
    def all_done(device_id: str, visitor: Changing) -> Response:
        owner = visitor.caller.owner
        if not ground.transfers.left_to_former(owner, device_id):
            raise NotFound("there is nothing left to do for this device")
        ground.transfers.done(owner, device_id)
        return go("/devices")


def _add_taking(pages: APIRouter, ground: Ground) -> None:
    shown = shower(ground, "take_over.html", "code")

    @pages.get("/take-over")
    def take_over_page(request: Request, visitor: Changing) -> Response:
        return shown(request, visitor.caller, None, None)

    @pages.post("/take-over")
    def take_over(request: Request, visitor: Changing) -> Response:
        form, caller = form_of(request), visitor.caller
        try:
            transfer = ground.transfers.check(caller, form.line("code"), address_of(request))
            request.state.about = transfer.device_id
            name = checked(
                Transfer, {"to": caller.owner, "profile": "x", "name": form.line("name")}
            ).name
            profile = chosen_profile(ground, caller, form)
            device_id = ground.transfers.take(caller, transfer, profile, name)
        except HostError as error:
            return shown(request, caller, form, error)
        return go(f"/devices/{device_id}")

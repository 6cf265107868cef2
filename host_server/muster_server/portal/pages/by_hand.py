# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Carrying settings by hand: the bundle as file, text and QR codes, and the receipt."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.api.bodies import NewBundle, TypedReceipt
from muster_server.api.reading import checked
from muster_server.errors import HostError, Invalid
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing
from muster_server.portal.people import Visitor
from muster_server.qr_codes import codes_of

_LIFE_S = 30 * 86400
_FILE_TYPE = "application/jose"
_CARRIED = ("prepared", "handed_out")


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_page(pages, ground)
    _add_forms(pages, ground)


def _add_page(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request,
        visitor: Visitor,
        device_id: str,
        error: HostError | None = None,
        verdict: dict[str, Any] | None = None,
    ) -> Response:
        owner = visitor.caller.owner
        device = ground.portal.device(device_id, owner)
        bundle = device["bundle"]
        text, codes = "", []
        if bundle is not None and bundle["state"] in _CARRIED:
            text = ground.portal.bundle_text(device_id, owner)
            # In the page itself: fetched one by one, each would be written down as a hand-out.
            codes = [code.svg_data_uri(scale=4, light="#fff") for code in codes_of(text)]
        values = {"device": device, "bundle": bundle, "text": text, "codes": codes}
        values["takes_wifi"] = _takes_wifi(ground, device["profile"])
        return ground.page(
            request,
            "by_hand.html",
            error.status if error else 200,
            **values,
            error=error,
            verdict=verdict,
        )

    @pages.get("/devices/{device_id}/by-hand")
    def by_hand_page(request: Request, device_id: str, visitor: Changing) -> Response:
        return shown(request, visitor, device_id)

    @pages.post("/devices/{device_id}/by-hand")
    def make(request: Request, device_id: str, visitor: Changing) -> Response:
        owner = visitor.caller.owner
        device = ground.portal.device(device_id, owner)
        without = form_of(request).text("without_wifi") == "yes"
        wanted = NewBundle(life_s=_LIFE_S, without_wifi=without)
        ground.portal.make_bundle(device_id, wanted, owner)
        return go(f"/devices/{device['device_id']}/by-hand")

    @pages.post("/devices/{device_id}/receipt")
    def receipt(request: Request, device_id: str, visitor: Changing) -> Response:
        try:
            typed = checked(TypedReceipt, {"receipt": form_of(request).text("receipt")})
            verdict = ground.portal.check_receipt(device_id, typed, visitor.caller.owner)
        except Invalid as error:
            return shown(request, visitor, device_id, error)
        return shown(request, visitor, device_id, verdict=verdict)


def _takes_wifi(ground: Ground, profile: str) -> bool:
    """Tell whether the profile lets who stands beside the device give it a network."""
    policy = ground.portal.profile(profile).get("policy") or {}
    return policy.get("local_wifi") is True


def _add_forms(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/devices/{device_id}/bundle")
    def bundle_file(device_id: str, visitor: Changing) -> Response:
        text = ground.portal.bundle_text(device_id, visitor.caller.owner)
        # The id has passed the portal's check, so it is safe in a header.
        name = f'attachment; filename="{device_id.upper()}.muster"'
        return Response(text, 200, {"Content-Disposition": name}, _FILE_TYPE)

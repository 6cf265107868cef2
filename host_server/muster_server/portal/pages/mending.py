# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Mending what failed: another password, another network, an open window, another account."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.api.bodies import ChangedDevice, NewWindow
from muster_server.errors import HostError, Invalid
from muster_server.portal.pages import words
from muster_server.portal.pages.adding import chosen_profile, settings_for
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing
from muster_server.portal.people import Visitor


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_password(pages, ground)
    _add_settings(pages, ground)
    _add_deeds(pages, ground)


def _add_password(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request, visitor: Visitor, device_id: str, error: HostError | None
    ) -> Response:
        device = ground.portal.device(device_id, visitor.caller.owner)
        values = {
            "device": device,
            "networks": words.networks_at_fault(device),
            "may_change": visitor.caller.may_use(device["profile"]),
            "error": error,
        }
        return ground.page(request, "password.html", error.status if error else 200, **values)

    @pages.get("/devices/{device_id}/password")
    def password_page(request: Request, device_id: str, visitor: Changing) -> Response:
        return shown(request, visitor, device_id, None)

    @pages.post("/devices/{device_id}/password")
    def change_password(request: Request, device_id: str, visitor: Changing) -> Response:
        form, caller = form_of(request), visitor.caller
        device = ground.portal.device(device_id, caller.owner)
        try:
            ground.wifi.correct(
                caller, device["profile"], form.text("ssid"), form.text("password")
            )
        except Invalid as error:
            return shown(request, visitor, device_id, error)
        return go(f"/devices/{device['device_id']}/live")


def _add_settings(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request, visitor: Visitor, device_id: str, error: HostError | None
    ) -> Response:
        device = ground.portal.device(device_id, visitor.caller.owner)
        values = {
            **settings_for(ground, visitor.caller),
            "device": device,
            "heard": heard_by(device),
            "error": error,
        }
        return ground.page(request, "network.html", error.status if error else 200, **values)

    @pages.get("/devices/{device_id}/network")
    def network_page(request: Request, device_id: str, visitor: Changing) -> Response:
        return shown(request, visitor, device_id, None)

    @pages.post("/devices/{device_id}/network")
    def change_network(request: Request, device_id: str, visitor: Changing) -> Response:
        form, caller = form_of(request), visitor.caller
        device = ground.portal.device(device_id, caller.owner)
        try:
            profile = chosen_profile(ground, caller, form)
            ground.portal.change(device_id, ChangedDevice(profile=profile), caller.owner)
        except Invalid as error:
            return shown(request, visitor, device_id, error)
        return go(f"/devices/{device['device_id']}/live")


def _add_deeds(pages: APIRouter, ground: Ground) -> None:
    @pages.post("/devices/{device_id}/window")
    def open_window(device_id: str, visitor: Changing) -> Response:
        device = ground.portal.open_window(device_id, NewWindow(), visitor.caller.owner)
        return go(f"/devices/{device['device_id']}/live")

    @pages.post("/devices/{device_id}/close-window")
    def close_window(device_id: str, visitor: Changing) -> Response:
        device = ground.portal.close_window(device_id, visitor.caller.owner)
        return go(f"/devices/{device['device_id']}")

    @pages.post("/devices/{device_id}/account")
    def new_account(device_id: str, visitor: Changing) -> Response:
        device = ground.portal.new_account(device_id, visitor.caller.owner)
        return go(f"/devices/{device['device_id']}/live")


def heard_by(device: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the networks that the device heard last, each once, the strongest first."""
    facts = device["device"] or {"scan": []}
    found: dict[str, dict[str, Any]] = {}
    for ssid, _, rssi, security in facts["scan"]:
        if ssid and (ssid not in found or found[ssid]["rssi"] < rssi):
            found[ssid] = {"ssid": ssid, "rssi": rssi, "is_open": security == 0}
    return sorted(found.values(), key=lambda network: -network["rssi"])

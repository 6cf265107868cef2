# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Adding a device: its label, a name, and the settings that it shall have."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.api.bodies import NewDevice
from muster_server.api.reading import checked
from muster_server.errors import HostError, Invalid
from muster_server.portal.access import Caller
from muster_server.portal.pages.forms import Form, form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing
from muster_server.portal.typed_label import typed_label

# In place of a profile's name: the form's own network.
NEW_WIFI = "new"


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    shown = shower(ground, "add.html", "label")

    @pages.get("/add")
    def add_page(request: Request, visitor: Changing) -> Response:
        return shown(request, visitor.caller, None, None)

    @pages.post("/add")
    def add_device(request: Request, visitor: Changing) -> Response:
        form, caller = form_of(request), visitor.caller
        try:
            label = typed_label(form.text("label"))
            request.state.about = label.device_id
            document = {
                "label": label.qr_text,
                "name": form.line("name"),
                "profile": chosen_profile(ground, caller, form),
            }
            ground.portal.register(checked(NewDevice, document), caller.owner)
        except HostError as error:
            return shown(request, caller, form, error)
        return go(f"/devices/{label.device_id}/live")


def shower(
    ground: Ground, template: str, proof: str
) -> Callable[[Request, Caller, Form | None, HostError | None], Response]:
    """Return what shows the form of a device that gets settings here, with what was typed; `proof`
    is the field that says which device it is.
    """

    def shown(
        request: Request, caller: Caller, form: Form | None, error: HostError | None
    ) -> Response:
        values = settings_for(ground, caller)
        chosen = form.line("profile") if form else ""
        if not chosen:
            chosen = values["kept"][0].profile if values["kept"] else NEW_WIFI
        typed = {name: form.line(name) if form else "" for name in (proof, "name", "ssid")}
        status = error.status if error else 200
        return ground.page(
            request, template, status, **values, chosen=chosen, typed=typed, error=error
        )

    return shown


def settings_for(ground: Ground, caller: Caller) -> dict[str, Any]:
    """Return what a caller can choose from: networks of their own, and profiles of the house."""
    return {
        "kept": ground.wifi.kept(caller),
        "house": ground.wifi.house_profiles() if caller.may("manage") else [],
        "has_base": ground.wifi.base() is not None,
    }


def chosen_profile(ground: Ground, caller: Caller, form: Form) -> str:
    """Return the profile that a form chose, made from the network in it if there is a new one.

    Invalid names the field at fault; NotFound for a profile that is not the caller's.
    """
    chosen = form.line("profile")
    if chosen == NEW_WIFI:
        if not form.line("ssid"):
            raise Invalid("the name of your Wi-Fi is missing", path="ssid")
        password = None if form.line("open") else form.text("password")
        return ground.wifi.keep(caller, form.text("ssid"), password)
    if not chosen:
        raise Invalid("choose the settings", path="profile")
    caller.need_profile(chosen)
    return chosen

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changing a Wi-Fi password step by step, so that no device is lost."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server import ssids
from muster_server.api.reading import checked
from muster_server.api.rollout_bodies import EndedChange, NewPassword
from muster_server.errors import HostError, Invalid
from muster_server.portal import rollouts
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Managing
from muster_server.portal.people import Visitor
from muster_server.portal.wifi import TOO_SHORT_OR_LONG


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    def shown(request: Request, visitor: Visitor, name: str, error: HostError | None) -> Response:
        found = rollouts.passwords(ground.portal, name, visitor.caller.owner)
        networks = ground.portal.profile(name)["networks"]
        names = dict.fromkeys(ssids.name_of(one) for one in networks if one["psk_set"])
        status = error.status if error else 200
        return ground.page(
            request, "wifi_change.html", status, found=found, names=list(names), error=error
        )

    @pages.get("/settings/{name}/wifi")
    def wifi_change(request: Request, name: str, visitor: Managing) -> Response:
        return shown(request, visitor, name, None)

    @pages.post("/settings/{name}/wifi")
    def begin_password_change(request: Request, name: str, visitor: Managing) -> Response:
        form = form_of(request)
        document = {"ssid": form.text("ssid"), "psk": form.text("password")}
        try:
            new = checked(NewPassword, {**document, "draft": bool(form.line("draft"))})
            rollouts.begin_password(ground.portal, name, new)
        except HostError as error:
            if (error.path or "").endswith("psk"):
                error = Invalid(TOO_SHORT_OR_LONG, path="password")
            return shown(request, visitor, name, error)
        return go(f"/settings/{name}/{'versions' if new.draft else 'wifi'}")

    @pages.post("/settings/{name}/wifi/end")
    def end_password_change(request: Request, name: str, visitor: Managing) -> Response:
        form = form_of(request)
        keep = "old" if form.line("keep") == "old" else "new"
        is_confirmed = bool(form.line("confirmed"))
        document = {"ssid": form.text("ssid"), "keep": keep, "confirmed": is_confirmed}
        try:
            end = checked(EndedChange, document)
            rollouts.end_password(ground.portal, name, end, visitor.caller.owner)
        except HostError as error:
            return shown(request, visitor, name, error)
        return go(f"/settings/{name}/wifi")

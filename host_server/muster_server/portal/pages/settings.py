# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Settings of the house: its profiles as forms, for administrators and operators."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server import ssids
from muster_server.api.queries import WantedDevices
from muster_server.errors import HostError, Invalid, NotFound
from muster_server.portal import rollouts
from muster_server.portal.pages.forms import Form, form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.profile_form import NETWORKS, document_of, values_of
from muster_server.portal.pages.sessions import Managing
from muster_server.portal.people import Visitor

_MOST_COUNTED = 1000


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_list(pages, ground)
    _add_new(pages, ground)
    _add_change(pages, ground)


def _add_list(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/settings")
    def list_settings(request: Request, visitor: Managing) -> Response:
        names = ground.wifi.house_profiles()
        return ground.page(request, "settings.html", names=names, base=ground.wifi.base())


def _shown(
    ground: Ground,
    request: Request,
    values: dict[str, str],
    error: HostError | None = None,
    **more: Any,
) -> Response:
    """The form with these values; passwords are never among them."""
    problems = {}
    if error is not None:
        problems = dict(reversed(error.others))
        problems[error.path or ""] = error.detail
    known = {"name": "", "users": {}, "kept": [], **more}
    return ground.page(
        request,
        "setting.html",
        error.status if error else 200,
        values=values,
        problems=problems,
        networks=range(NETWORKS),
        **known,
    )


def _add_new(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/settings/new")
    def new_settings(request: Request, visitor: Managing) -> Response:
        return _shown(ground, request, values_of({"networks": [], "platform": {}}))

    @pages.post("/settings/new")
    def add_settings(request: Request, visitor: Managing) -> Response:
        form = form_of(request)
        try:
            name = form.line("name")
            if name not in ground.wifi.house_profiles() and "." in name:
                raise Invalid("a name of settings has no dot", path="name")
            request.state.about = name
            ground.portal.add_profile(document_of(form, {}) | {"name": name})
        except HostError as error:
            return _shown(ground, request, _typed(form), error)
        return go("/settings")


def _add_change(pages: APIRouter, ground: Ground) -> None:
    def house(name: str) -> dict[str, Any]:
        if name not in ground.wifi.house_profiles():
            raise NotFound("there are no such settings")
        return ground.portal.profile(name)

    def about(visitor: Visitor, name: str, profile: dict[str, Any]) -> dict[str, Any]:
        wanted = WantedDevices(profile=name, limit=_MOST_COUNTED)
        devices = ground.portal.devices(visitor.caller.owner, wanted)["devices"]
        kept = [ssids.name_of(network) for network in profile["networks"] if network["psk_set"]]
        return {
            "name": name,
            "users": dict(Counter(device["state"] for device in devices)),
            "kept": kept,
        }

    @pages.get("/settings/{name}")
    def show_settings(request: Request, name: str, visitor: Managing) -> Response:
        profile = house(name)
        return _shown(ground, request, values_of(profile), **about(visitor, name, profile))

    @pages.post("/settings/{name}")
    def change_settings(request: Request, name: str, visitor: Managing) -> Response:
        form, profile = form_of(request), house(name)
        try:
            if form.line("draft"):
                rollouts.draft(ground.portal, name, document_of(form, profile))
                return go(f"/settings/{name}/versions")
            ground.portal.replace_profile(name, document_of(form, profile))
        except HostError as error:
            return _shown(ground, request, _typed(form), error, **about(visitor, name, profile))
        return go("/settings")

    @pages.post("/settings/{name}/remove")
    def remove_settings(request: Request, name: str, visitor: Managing) -> Response:
        profile = house(name)
        try:
            ground.portal.remove_profile(name)
        except HostError as error:
            values = values_of(profile)
            return _shown(ground, request, values, error, **about(visitor, name, profile))
        return go("/settings")


def _typed(form: Form) -> dict[str, str]:
    """Return what was typed, to be corrected; a password is typed again."""
    document = values_of({"networks": [], "platform": {}})
    return {path: form.text(path) for path in document}

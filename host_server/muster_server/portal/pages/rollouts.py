# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Versions of settings: who runs which, what differs, and how one reaches its devices in waves."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from muster_server.api.bounds import HIGHEST
from muster_server.api.reading import checked
from muster_server.api.rollout_bodies import Deed, NewRollout, WantedDifference, WantedMembers
from muster_server.errors import HostError, Invalid
from muster_server.portal import rollouts
from muster_server.portal.pages.forms import Form, form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Managing
from muster_server.portal.people import Visitor
from muster_server.waves import waves_in

_A_PAGE = 50
_STATES = ("failed", "offered", "held", "waiting", "succeeded")
_DEFAULTS = {"waves": "1, 10 %, 50 %", "most_failed": "0", "need_percent": "100"}
Number = Annotated[int, Query(ge=1, le=HIGHEST)]


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_versions(pages, ground)
    _add_waves(pages, ground)


def _add_versions(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request, visitor: Visitor, name: str, form: Form | None, error: HostError | None
    ) -> Response:
        found = rollouts.versions(ground.portal, name, visitor.caller.owner)
        typed = {n: form.line(n) if form else text for n, text in _DEFAULTS.items()}
        return ground.page(
            request,
            "versions.html",
            error.status if error else 200,
            found=found,
            typed=typed,
            chosen=form.line("number") if form else "",
            error=error,
        )

    @pages.get("/settings/{name}/versions")
    def versions(request: Request, name: str, visitor: Managing) -> Response:
        return shown(request, visitor, name, None, None)

    @pages.get("/settings/{name}/difference")
    def difference(
        request: Request, name: str, visitor: Managing, old: Number, new: Number
    ) -> Response:
        wanted = WantedDifference(old=old, new=new)
        found = rollouts.difference(ground.portal, name, wanted)
        return ground.page(request, "difference.html", found=found)

    @pages.get("/settings/{name}/preview")
    def preview(
        request: Request,
        name: str,
        visitor: Managing,
        number: Number,
        device_id: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        owner = visitor.caller.owner
        found = rollouts.preview(ground.portal, name, number, device_id, owner)
        text = json.dumps(found["config"], indent=2, ensure_ascii=False)
        return ground.page(request, "preview.html", found=found, text=text)

    @pages.post("/settings/{name}/use")
    def use_version(request: Request, name: str, visitor: Managing) -> Response:
        form = form_of(request)
        try:
            rollouts.use(ground.portal, name, form.number("number"))
        except HostError as error:
            return shown(request, visitor, name, form, error)
        return go(f"/settings/{name}/versions")

    @pages.post("/settings/{name}/roll-out")
    def begin_rollout(request: Request, name: str, visitor: Managing) -> Response:
        form = form_of(request)
        try:
            new = checked(NewRollout, _document_in(form, name))
            rollout = rollouts.begin(ground.portal, new, visitor.caller)
        except HostError as error:
            return shown(request, visitor, name, form, error)
        return go(f"/rollouts/{rollout['id']}")


def _add_waves(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/rollouts/{rollout_id}")
    def show_rollout(
        request: Request,
        rollout_id: str,
        visitor: Managing,
        state: Annotated[str, Query(max_length=16)] = "",
        after: Annotated[str, Query(max_length=32)] = "",
    ) -> Response:
        owner = visitor.caller.owner
        rollout = rollouts.shown(ground.portal, rollout_id, owner)
        only = state if state in _STATES else None
        document: dict[str, Any] = {"state": only, "after": after.upper(), "limit": _A_PAGE}
        wanted = WantedMembers(**document)
        found = rollouts.devices(ground.portal, rollout_id, owner, wanted)
        return ground.page(
            request, "rollout.html", rollout=rollout, found=found, only=only, states=_STATES
        )

    @pages.post("/rollouts/{rollout_id}/{deed}")
    def change_rollout(rollout_id: str, deed: Deed, visitor: Managing) -> Response:
        rollouts.do(ground.portal, rollout_id, deed, visitor.caller.owner)
        return go(f"/rollouts/{rollout_id}")


def _document_in(form: Form, name: str) -> dict[str, Any]:
    numbers = {n: form.number(n) for n in ("number", "most_failed", "need_percent")}
    wrong = [n for n, number in numbers.items() if number < 0]
    if wrong:
        raise Invalid("wanted a whole number", path=wrong[0])
    waves = waves_in(form.line("waves"))
    automatic = bool(form.line("automatic"))
    return {"profile": name, "waves": waves, "automatic": automatic, **numbers}

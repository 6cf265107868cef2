# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Many devices at once: added by a table of their labels, or changed together."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from muster_server.api.bodies import NewChange
from muster_server.api.reading import checked
from muster_server.errors import HostError, Invalid
from muster_server.portal import tasks
from muster_server.portal.access import Caller
from muster_server.portal.pages.adding import settings_for
from muster_server.portal.pages.device_filter import Asked
from muster_server.portal.pages.forms import Form, form_of
from muster_server.portal.pages.ground import Ground, go, takes_file
from muster_server.portal.pages.sessions import Changing

FILE_BYTES = 8 * 1024 * 1024  # some 50,000 rows
_FIELDS = ("group", "added_tags", "removed_tags", "profile")


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_table(pages, ground)
    _add_several(pages, ground)


def _add_table(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request, caller: Caller, form: Form | None, error: HostError | None
    ) -> Response:
        return ground.page(
            request,
            "many.html",
            error.status if error else 200,
            **settings_for(ground, caller),
            tasks=tasks.listed(ground.portal, caller.owner),
            chosen=form.line("profile") if form else "",
            error=error,
        )

    @pages.get("/many")
    def many(request: Request, visitor: Changing) -> Response:
        return shown(request, visitor.caller, None, None)

    @pages.post("/many")
    @takes_file(FILE_BYTES)
    def try_table(request: Request, visitor: Changing) -> Response:
        form, caller = form_of(request), visitor.caller
        try:
            profile = form.line("profile")
            if not profile:
                raise Invalid("choose the settings", path="profile")
            task = tasks.begin_claims(ground.portal, text_in(form), profile, caller)
        except HostError as error:
            return shown(request, caller, form, error)
        request.state.about = task["id"]
        return go(f"/tasks/{task['id']}")


def text_in(form: Form) -> str:
    """The text of the file that was chosen. Raises Invalid if there is none, or it is no text."""
    if not form.file:
        raise Invalid("choose a file with labels", path="csv")
    try:
        return form.file.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("this is no text in UTF-8; save the table as CSV", path="csv") from None


def _add_several(pages: APIRouter, ground: Ground) -> None:
    def shown(
        request: Request,
        caller: Caller,
        asked: Asked,
        form: Form | None,
        error: HostError | None,
    ) -> Response:
        found = ground.portal.devices(caller.owner, asked.wanted())
        typed = {name: form.line(name) if form else "" for name in _FIELDS}
        return ground.page(
            request,
            "several.html",
            error.status if error else 200,
            **settings_for(ground, caller),
            devices=found["devices"],
            more=found["next"],
            asked=asked,
            groups=ground.portal.device_groups(caller.owner)["groups"],
            chosen=form.all("device") if form else [],
            typed=typed,
            error=error,
        )

    @pages.get("/several")
    def several(request: Request, visitor: Changing, asked: Annotated[Asked, Query()]) -> Response:
        return shown(request, visitor.caller, asked, None, None)

    @pages.post("/several")
    def change_several(request: Request, visitor: Changing) -> Response:
        form, caller = form_of(request), visitor.caller
        asked = asked_in(form)
        try:
            change = checked(NewChange, _change_in(form))
            ids = form.all("device")
            if form.line("all"):
                ids = list(tasks.all_ids(ground.portal, asked.wanted(), caller.owner))
            task = tasks.begin_change(ground.portal, ids, change, caller)
        except Invalid as error:
            error.path = (error.path or "").partition("[")[0]
            return shown(request, caller, asked, form, error)
        request.state.about = task["id"]
        return go(f"/tasks/{task['id']}")


def asked_in(form: Form) -> Asked:
    """Return the filters of the list that the form was made from."""
    names = ("show", "group", "tag", "profile", "search", "sort", "behind")
    return Asked(**{name: form.line(f"list.{name}")[:64] for name in names})


def _change_in(form: Form) -> dict[str, Any]:
    document: dict[str, Any] = {
        name: [tag.strip() for tag in form.line(name).split(",") if tag.strip()]
        for name in ("added_tags", "removed_tags")
    }
    if form.line("profile"):
        document["profile"] = form.line("profile")
    if form.line("group") or form.line("no_group"):
        document["group"] = "" if form.line("no_group") else form.line("group")
    return document

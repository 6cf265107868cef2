# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""My devices: the list, and a page for each."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from muster_server.api.bodies import ChangedDevice
from muster_server.api.queries import WantedReadings
from muster_server.api.reading import checked
from muster_server.errors import Conflict, HostError, Invalid, ServiceUnreachable
from muster_server.portal.pages import words
from muster_server.portal.pages.chart import chart_of
from muster_server.portal.pages.device_filter import Asked
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing, Reading
from muster_server.portal.people import Visitor

_READINGS = 100


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_list(pages, ground)
    _add_device(pages, ground)
    _add_deeds(pages, ground)


def _add_list(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/devices")
    def list_devices(
        request: Request,
        visitor: Reading,
        asked: Annotated[Asked, Query()],
    ) -> Response:
        owner = visitor.caller.owner
        found = ground.portal.devices(owner, asked.wanted())
        return ground.page(
            request,
            "devices.html",
            devices=found["devices"],
            more=found["next"],
            asked=asked,
            sorted_by=ground.portal.device_groups(owner),
            given_away=ground.transfers.taken_from(owner) if visitor.caller.may("change") else [],
        )

    @pages.get("/find")
    def find(visitor: Reading, id: Annotated[str, Query(max_length=64)] = "") -> Response:  # noqa: A002
        """Lead to the device of this id; its page says if there is none."""
        return go(f"/devices/{id.strip().upper()}" if id.strip() else "/devices")


def _add_device(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/devices/{device_id}")
    def show_device(request: Request, device_id: str, visitor: Reading) -> Response:
        return device_page(ground, request, visitor, device_id, None)

    @pages.get("/devices/{device_id}/report")
    def report(request: Request, device_id: str, visitor: Reading) -> Response:
        """The timeline as text, to send to whoever can help. No secret is in a timeline."""
        owner = visitor.caller.owner
        device = ground.portal.device(device_id, owner)
        timeline = ground.portal.timeline(device_id, owner)
        text = ground.text(request, "report.txt", device=device, timeline=timeline)
        name = f'attachment; filename="{device["device_id"]}-timeline.txt"'
        return Response(text, 200, {"Content-Disposition": name}, "text/plain")


def device_page(
    ground: Ground,
    request: Request,
    visitor: Visitor,
    device_id: str,
    error: HostError | None,
    typed: dict[str, str] | None = None,
) -> Response:
    """The page of one device; `error` is of a form on it that was refused, with what was typed."""
    owner = visitor.caller.owner
    device = ground.portal.device(device_id, owner)
    readings, away = _readings(ground, device["device_id"], owner)
    return ground.page(
        request,
        "device.html",
        error.status if error else 200,
        device=device,
        timeline=ground.portal.timeline(device_id, owner),
        readings=list(reversed(readings)),
        away=away,
        chart=chart_of(readings),
        mend=words.mend_of(device),
        at_fault=words.networks_at_fault(device),
        is_taken=device["state"] != "registered"
        and ground.transfers.was_taken_by(owner, device["device_id"]),
        groups=ground.portal.device_groups(owner)["groups"],
        error=error,
        typed={**_fields_of(device), **(typed or {})},
    )


def _fields_of(device: dict[str, Any]) -> dict[str, str]:
    """Return what the forms of the page show before anything is typed."""
    tags = ", ".join(device["tags"])
    return {"name": device["name"], "group": device["group"] or "", "tags": tags}


def _readings(
    ground: Ground, device_id: str, owner: str
) -> tuple[list[dict[str, Any]], str | None]:
    """The newest readings, the oldest first; and why there are none, if that is known."""
    try:
        found = ground.portal.readings(device_id, owner, WantedReadings(limit=_READINGS))
    except Conflict:
        return [], None  # it was given no platform yet
    except ServiceUnreachable as error:
        return [], error.detail
    return found["readings"], None


def _add_deeds(pages: APIRouter, ground: Ground) -> None:
    @pages.post("/devices/{device_id}/name")
    def rename(request: Request, device_id: str, visitor: Changing) -> Response:
        typed = {"name": form_of(request).line("name")}
        try:
            new = checked(ChangedDevice, typed)
        except Invalid as error:
            return device_page(ground, request, visitor, device_id, error, typed)
        device = ground.portal.change(device_id, new, visitor.caller.owner)
        return go(f"/devices/{device['device_id']}")

    @pages.post("/devices/{device_id}/place")
    def put_into_group(request: Request, device_id: str, visitor: Changing) -> Response:
        form = form_of(request)
        tags = [tag.strip() for tag in form.line("tags").split(",") if tag.strip()]
        try:
            new = checked(ChangedDevice, {"group": form.line("group"), "tags": tags})
            device = ground.portal.change(device_id, new, visitor.caller.owner)
        except Invalid as error:
            error.path = "tags" if (error.path or "").startswith("tags") else error.path
            typed = {name: form.line(name) for name in ("group", "tags")}
            return device_page(ground, request, visitor, device_id, error, typed)
        return go(f"/devices/{device['device_id']}")

    @pages.get("/devices/{device_id}/remove")
    def remove_page(request: Request, device_id: str, visitor: Changing) -> Response:
        device = ground.portal.device(device_id, visitor.caller.owner)
        return ground.page(request, "remove.html", device=device)

    @pages.post("/devices/{device_id}/remove")
    def remove(device_id: str, visitor: Changing) -> Response:
        ground.portal.release(device_id, visitor.caller.owner)
        return go("/devices")

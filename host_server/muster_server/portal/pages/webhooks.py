# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The page of webhooks, for administrators and operators."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.errors import HostError
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Managing
from muster_server.portal.people import Visitor
from muster_server.portal.webhooks import EVENTS


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    def shown(
        request: Request,
        visitor: Visitor,
        error: HostError | None = None,
        secret: str = "",
        url: str = "",
        chosen: Sequence[str] = EVENTS,
    ) -> Response:
        return ground.page(
            request,
            "webhooks.html",
            error.status if error else 200,
            hooks=ground.webhooks.shown(visitor.caller),
            events=EVENTS,
            error=error,
            secret=secret,
            url=url,
            chosen=chosen,
        )

    @pages.get("/webhooks")
    def webhooks(request: Request, visitor: Managing) -> Response:
        return shown(request, visitor)

    @pages.post("/webhooks")
    def add_webhook(request: Request, visitor: Managing) -> Response:
        form = form_of(request)
        url = form.line("url")
        chosen = [event for event in EVENTS if form.text(event) == "yes"]
        try:
            hook, secret = ground.webhooks.add(visitor.caller, url, chosen)
        except HostError as error:
            return shown(request, visitor, error, url=url, chosen=chosen)
        request.state.about = hook.id
        return shown(request, visitor, secret=secret)

    @pages.post("/webhooks/test")
    def test_webhook(request: Request, visitor: Managing) -> Response:
        hook_id = form_of(request).line("id")
        request.state.about = hook_id
        ground.webhooks.tested(visitor.caller, hook_id)  # so that the page shows its outcome
        return go("/webhooks")

    @pages.post("/webhooks/enable")
    def enable_webhook(request: Request, visitor: Managing) -> Response:
        request.state.about = hook_id = form_of(request).line("id")
        ground.webhooks.enable(visitor.caller, hook_id)
        return go("/webhooks")

    @pages.post("/webhooks/remove")
    def remove_webhook(request: Request, visitor: Managing) -> Response:
        request.state.about = hook_id = form_of(request).line("id")
        ground.webhooks.remove(visitor.caller, hook_id)
        return go("/webhooks")

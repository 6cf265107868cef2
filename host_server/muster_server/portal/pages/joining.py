# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Signing in and out, and becoming a user by an invitation."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.errors import HostError
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go, own_path
from muster_server.portal.pages.second_factors import half_page, passkey_options
from muster_server.portal.pages.sessions import Reading, forget, remember
from muster_server.web import address_of


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    @pages.get("/")
    def first() -> Response:
        return go("/devices")

    @pages.get("/sign-in")
    def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002
        options = passkey_options(ground, request)
        return ground.page(
            request, "sign_in.html", next=own_path(next), name="", error=None, options=options
        )

    @pages.post("/sign-in")
    def sign_in(request: Request) -> Response:
        form = form_of(request)
        name, leads_to = form.line("name"), own_path(form.text("next"))
        request.state.trying = name
        try:
            made = ground.people.sign_in(name, form.text("password"), address_of(request))
        except HostError as error:
            return ground.page(
                request,
                "sign_in.html",
                error.status,
                next=leads_to,
                name=name,
                error=error,
                options=passkey_options(ground, request),
            )
        if made.half:
            return half_page(ground, request, made.half, leads_to)
        return remember(request, go(leads_to), made.session)

    @pages.post("/sign-out")
    def sign_out(request: Request, visitor: Reading) -> Response:
        ground.people.sign_out(visitor)
        return forget(request, go("/sign-in"))

    @pages.get("/join")
    def join_page(request: Request) -> Response:
        return ground.page(request, "join.html", code="", name="", error=None)

    @pages.post("/join")
    def join(request: Request) -> Response:
        form = form_of(request)
        code, name, password = form.line("code"), form.line("name"), form.text("password")
        request.state.trying = name
        try:
            token = ground.people.join(code, name, password, address_of(request))
        except HostError as error:
            # The link's fragment is gone by now: without its code nobody could go on.
            typed = {"code": code, "name": name}
            return ground.page(request, "join.html", error.status, **typed, error=error)
        return remember(request, go("/devices"), token)

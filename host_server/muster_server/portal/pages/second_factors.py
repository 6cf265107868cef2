# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Pages of the second factor: set up and removed at the account, asked for at the sign-in."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.errors import HostError, TooManyRequests, Unauthorized
from muster_server.portal.pages.forms import Form, form_of
from muster_server.portal.pages.ground import Ground, go, own_path
from muster_server.portal.pages.sessions import Administering, Reading, remember
from muster_server.portal.passkeys import Place
from muster_server.portal.people import Visitor
from muster_server.portal.second_factor import Setup
from muster_server.web import address_of

HOME = "/account/second"


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_sign_in(pages, ground)
    _add_overview(pages, ground)
    _add_app(pages, ground)
    _add_passkeys(pages, ground)
    _add_reset(pages, ground)


def place_of(request: Request) -> Place:
    """Return where this browser sees the portal."""
    host = request.headers.get("host", "")
    return Place(request.url.hostname or "", f"{request.url.scheme}://{host}")


def passkey_options(ground: Ground, request: Request) -> str:
    """Return what the browser is asked for at the sign-in; empty where there are no passkeys."""
    place = place_of(request)
    return ground.people.passkeys.options_to_sign_in(place) if place.takes_passkeys else ""


def half_page(
    ground: Ground, request: Request, half: str, leads_to: str, error: HostError | None = None
) -> Response:
    """The page that asks for the second factor. The token of the half sign-in is in its form."""
    user = ground.people.second.user_of(half)
    factors, place = ground.people.second.of(user), place_of(request)
    mine = any(key.rp_id == place.host for key in factors.passkeys)
    options = ground.people.passkeys.options_to_sign_in(place, user) if mine else ""
    return ground.page(
        request,
        "second_factor.html",
        error.status if error else 200,
        half=half,
        next=leads_to,
        options=options,
        has_app=factors.has_app,
        error=error,
    )


def _add_sign_in(pages: APIRouter, ground: Ground) -> None:
    def again(request: Request, form: Form, error: HostError) -> Response:
        half, leads_to = form.text("half"), own_path(form.text("next"))
        if half and error.path != "half":
            return half_page(ground, request, half, leads_to, error)
        return ground.page(
            request,
            "sign_in.html",
            error.status,
            next=leads_to,
            name="",
            error=error,
            options=passkey_options(ground, request),
        )

    @pages.get("/sign-in/second")
    def anew() -> Response:
        return go("/sign-in")  # where a link on the page of a form leads

    @pages.post("/sign-in/second")
    def sign_in_second(request: Request) -> Response:
        form, second = form_of(request), ground.people.second
        half = form.text("half")
        try:
            request.state.trying = second.user_of(half).name
            token = second.sign_in(half, form.line("code"), address_of(request))
        except HostError as error:
            return again(request, form, error)
        return remember(request, go(own_path(form.text("next"))), token)

    @pages.get("/sign-in/passkey")
    def anew_with_passkey() -> Response:
        return go("/sign-in")

    @pages.post("/sign-in/passkey")
    def sign_in_with_passkey(request: Request) -> Response:
        form, keys = form_of(request), ground.people.passkeys
        credential, half = form.text("passkey"), form.text("half")
        request.state.trying = keys.user_named_by(credential)
        try:
            token = keys.sign_in(credential, place_of(request), address_of(request), half)
        except HostError as error:
            return again(request, form, error)
        return remember(request, go(own_path(form.text("next"))), token)


def second_page(
    ground: Ground,
    request: Request,
    visitor: Visitor,
    error: HostError | None = None,
    setup: Setup | None = None,
    codes: list[str] | None = None,
) -> Response:
    """The page of a person's own second factors; `setup` and `codes` are shown this once."""
    place, qr = place_of(request), ""
    if setup is not None:
        # Late: only who wants to see a code waits for it.
        from muster_server.qr_codes import codes_of

        qr = codes_of(setup.uri)[0].svg_data_uri(scale=4, light="#fff")
    user, keys = visitor.user, ground.people.passkeys
    return ground.page(
        request,
        "second_factors.html",
        error.status if error else 200,
        factors=ground.people.second.of(user),
        options=keys.options_to_make(user, place) if place.takes_passkeys else "",
        error=error,
        setup=setup,
        qr=qr,
        codes=codes or [],
    )


def _add_overview(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/account/second")
    def second_factors(request: Request, visitor: Reading) -> Response:
        return second_page(ground, request, visitor)

    @pages.get("/account/second/{deed}")
    def back(visitor: Reading, deed: str) -> Response:
        return go(HOME)  # where a link on the page of a form leads

    @pages.post("/account/second/codes")
    def new_recovery_codes(request: Request, visitor: Reading) -> Response:
        try:
            ground.people.confirm(
                visitor, form_of(request).text("codes_password"), "codes_password"
            )
            codes = ground.people.second.new_codes(visitor.user)
        except HostError as error:
            return second_page(ground, request, visitor, error)
        return second_page(ground, request, visitor, codes=codes)


def _add_app(pages: APIRouter, ground: Ground) -> None:
    @pages.post("/account/second/app")
    def set_up_app(request: Request, visitor: Reading) -> Response:
        try:
            ground.people.confirm(visitor, form_of(request).text("app_password"), "app_password")
            setup = ground.people.second.begin_app(visitor.user)
        except HostError as error:
            return second_page(ground, request, visitor, error)
        return second_page(ground, request, visitor, setup=setup)

    @pages.post("/account/second/confirm")
    def confirm_app(request: Request, visitor: Reading) -> Response:
        second, address = ground.people.second, address_of(request)
        try:
            codes = second.confirm_app(visitor.user, form_of(request).line("code"), address)
        except (Unauthorized, TooManyRequests) as error:  # the code stands in the app: not anew
            return second_page(ground, request, visitor, error, second.setup(visitor.user))
        except HostError as error:
            return second_page(ground, request, visitor, error)
        ground.people.end_others(visitor)
        return second_page(ground, request, visitor, codes=codes)

    @pages.post("/account/second/remove-app")
    def remove_app(request: Request, visitor: Reading) -> Response:
        try:
            ground.people.confirm(visitor, form_of(request).text("app_password"), "app_password")
        except HostError as error:
            return second_page(ground, request, visitor, error)
        ground.people.second.remove_app(visitor.user)
        return go(HOME)


def _add_passkeys(pages: APIRouter, ground: Ground) -> None:
    @pages.post("/account/second/passkey")
    def add_passkey(request: Request, visitor: Reading) -> Response:
        form, keys = form_of(request), ground.people.passkeys
        try:
            ground.people.confirm(visitor, form.text("key_password"), "key_password")
            credential, place = form.text("passkey"), place_of(request)
            codes = keys.add(visitor.user, form.line("passkey_name"), credential, place)
        except HostError as error:
            return second_page(ground, request, visitor, error)
        ground.people.end_others(visitor)
        return second_page(ground, request, visitor, codes=codes)

    @pages.post("/account/second/remove-passkey")
    def remove_passkey(request: Request, visitor: Reading) -> Response:
        form = form_of(request)
        try:
            ground.people.confirm(visitor, form.text("remove_password"), "remove_password")
        except HostError as error:
            return second_page(ground, request, visitor, error)
        ground.people.passkeys.remove(visitor.user, form.line("id"))
        return go(HOME)


def _add_reset(pages: APIRouter, ground: Ground) -> None:
    @pages.post("/people/reset-second")
    def reset_second_factor(request: Request, visitor: Administering) -> Response:
        user = ground.people.second.reset(form_of(request).line("user"))
        request.state.about = user.name
        return go("/people")

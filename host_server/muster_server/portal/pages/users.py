# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Pages of one's own account, and of who else uses the portal."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.errors import HostError, Invalid, NotFound
from muster_server.portal.access import RIGHTS, SCOPES
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing, Managing, Reading
from muster_server.portal.people import Visitor


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    _add_account(pages, ground)
    _add_tokens(pages, ground)
    _add_people(pages, ground)


def account_page(
    ground: Ground,
    request: Request,
    visitor: Visitor,
    error: HostError | None = None,
    token: str = "",
    said: str = "",
) -> Response:
    """The page of one's own account; `token` is a new one, shown this once."""
    right = RIGHTS.index(visitor.caller.right)
    return ground.page(
        request,
        "account.html",
        error.status if error else 200,
        sessions=ground.people.sessions(visitor.user),
        has_second=ground.people.second.of(visitor.user).any,
        tokens=ground.people.tokens(visitor.user),
        scopes=[scope for scope in SCOPES if RIGHTS.index(scope) <= right],
        error=error,
        new_token=token,
        said=said,
    )


def _add_account(pages: APIRouter, ground: Ground) -> None:
    @pages.get("/account")
    def show(request: Request, visitor: Reading) -> Response:
        return account_page(ground, request, visitor)

    @pages.post("/account/password")
    def change_password(request: Request, visitor: Reading) -> Response:
        form = form_of(request)
        try:
            ground.people.change_password(visitor, form.text("old"), form.text("new"))
        except HostError as error:
            return account_page(ground, request, visitor, error)
        return account_page(ground, request, visitor, said="The password is changed.")

    @pages.post("/account/sign-out")
    def end_session(request: Request, visitor: Reading) -> Response:
        ground.people.sign_out(visitor, form_of(request).line("session"))
        return go("/account")


def _add_tokens(pages: APIRouter, ground: Ground) -> None:
    @pages.post("/account/tokens")
    def add_token(request: Request, visitor: Reading) -> Response:
        form = form_of(request)
        try:
            token = ground.people.add_token(
                visitor.user, form.line("name"), form.line("scope"), form.number("days")
            )
        except Invalid as error:
            return account_page(ground, request, visitor, error)
        return account_page(ground, request, visitor, token=token)

    @pages.post("/account/tokens/remove")
    def remove_token(request: Request, visitor: Reading) -> Response:
        ground.people.remove_token(visitor.user, form_of(request).line("id"))
        return go("/account")


def _add_people(pages: APIRouter, ground: Ground) -> None:
    def shown(request: Request, visitor: Visitor, link: str = "") -> Response:
        is_administrator = visitor.user.role == "administrator"
        return ground.page(
            request,
            "people.html",
            users=ground.people.users(visitor.user),
            with_second=ground.people.second.users_with_one(),
            invitations=ground.people.invitations(visitor.user),
            roles=["owner", "viewer", "operator", "administrator"]
            if is_administrator
            else ["viewer"],
            link=link,
            base=ground.wifi.base(),
            house=ground.wifi.house_profiles() if visitor.caller.may("manage") else [],
        )

    @pages.get("/people")
    def people(request: Request, visitor: Changing) -> Response:
        if visitor.user.role not in ("administrator", "owner"):
            raise NotFound("there is no such page")
        return shown(request, visitor)

    @pages.post("/people/invite")
    def invite(request: Request, visitor: Changing) -> Response:
        code = ground.people.invite(visitor.user, form_of(request).line("role"))
        # The fragment stays in the browser: no log has it.
        return shown(request, visitor, f"{request.base_url}join#{code}")

    @pages.post("/people/withdraw")
    def withdraw(request: Request, visitor: Changing) -> Response:
        ground.people.withdraw(visitor.user, form_of(request).line("invitation"))
        return go("/people")

    @pages.post("/people/remove")
    def remove(request: Request, visitor: Changing) -> Response:
        ground.people.remove(visitor.user, form_of(request).line("user"))
        return go("/people")

    @pages.post("/people/wifi-base")
    def choose_base(request: Request, visitor: Managing) -> Response:
        profile = form_of(request).line("profile")
        if profile not in ground.wifi.house_profiles():
            raise NotFound("there are no such settings")
        ground.people.choose_wifi_base(profile)
        return go("/people")

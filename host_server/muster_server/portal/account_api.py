# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of one's own second factor. Passkeys need a browser, and stay with the pages."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from muster_server.api import people_views as views
from muster_server.api.description import Description
from muster_server.api.people_bodies import Confirmation, FirstCode
from muster_server.api.reading import read_body
from muster_server.errors import Forbidden
from muster_server.portal.access import Asking, Caller
from muster_server.portal.people import People
from muster_server.store.people import User
from muster_server.web import address_of, body_within, json_response, told_once

_PATH = "/v1/account/second-factor"
_BODY_LIMIT_BYTES = 4096
Body = Annotated[bytes, Depends(body_within(_BODY_LIMIT_BYTES))]


def add_account(app: FastAPI, people: People, guard: list[Any], described: Description) -> None:
    """The routes, each about the user whose token it is."""
    _add_app(app, people, guard, described)
    codes = described.of(views.RecoveryCodes, Confirmation)

    @app.get(_PATH, dependencies=guard, **described.of(views.SecondFactor))
    def show_second_factor(caller: Asking) -> Response:
        """Return what is asked for besides the password."""
        found = people.second.of(_user_of(people, caller))
        return json_response(
            {
                "app": found.has_app,
                "passkeys": len(found.passkeys),
                "recovery_codes_left": found.codes_left,
            }
        )

    @app.post(_PATH + "/recovery-codes", dependencies=guard, **codes)
    def new_recovery_codes(request: Request, body: Body, caller: Asking) -> Response:
        """Make new recovery codes; the former ones are good no more."""
        user = _confirmed(people, request, body, caller)
        return told_once({"recovery_codes": people.second.new_codes(user)})


def _add_app(app: FastAPI, people: People, guard: list[Any], described: Description) -> None:
    begun = described.of(views.AppSetup, Confirmation, 201)
    confirmed = described.of(views.RecoveryCodes, FirstCode)
    removed = described.of(body=Confirmation, status=204)

    @app.post(_PATH + "/app", dependencies=guard, **begun)
    def set_up_app(request: Request, body: Body, caller: Asking) -> Response:
        """Begin to set up an app for one-time codes."""
        setup = people.second.begin_app(_confirmed(people, request, body, caller))
        return told_once({"secret": setup.secret, "uri": setup.uri}, 201)

    @app.post(_PATH + "/app/confirm", dependencies=guard, **confirmed)
    def confirm_app(request: Request, body: Body, caller: Asking) -> Response:
        """Take the app's first code: it is asked for from now on, and all sessions end."""
        user, typed = _user_of(people, caller), read_body(FirstCode, body)
        codes = people.second.confirm_app(user, typed.code, address_of(request))
        with people.store.transaction() as records:
            records.remove_sessions_of(user.id)
        return told_once({"recovery_codes": codes})

    @app.post(_PATH + "/app/remove", dependencies=guard, **removed)
    def remove_app(request: Request, body: Body, caller: Asking) -> Response:
        """Ask for the app's codes no more."""
        people.second.remove_app(_confirmed(people, request, body, caller))
        return Response(status_code=204)


def _user_of(people: People, caller: Caller) -> User:
    with people.store.transaction() as records:
        user = records.user(caller.user_id)
    if user is None:
        raise Forbidden("this token is the house's: use one that a user has made at the portal")
    return user


def _confirmed(people: People, request: Request, body: bytes, caller: Caller) -> User:
    user = _user_of(people, caller)
    password = read_body(Confirmation, body).password
    people.confirm_user(user, password, address_of(request), "password")
    return user

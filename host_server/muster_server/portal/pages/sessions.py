# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The cookie of a session, the token of its forms, and who has signed in."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from muster_server.portal.people import LONGEST_S, People, Visitor

_SECURE, _PLAIN = "__Host-muster", "muster"


class SignInNeeded(Exception):
    """Nobody has signed in in this browser."""


def _name(request: Request) -> str:
    # The prefix lets no neighbour on the same domain set it, and only https has it.
    return _SECURE if request.url.scheme == "https" else _PLAIN


def cookie_of(request: Request) -> str:
    """The session's token, or an empty text."""
    return request.cookies.get(_name(request), "")


def remember(request: Request, response: Response, token: str) -> Response:
    """Have the browser keep a new session's token, in place of any other."""
    response.set_cookie(
        _name(request),
        token,
        max_age=int(LONGEST_S),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def forget(request: Request, response: Response) -> Response:
    """Have the browser forget the session."""
    is_secure = request.url.scheme == "https"
    response.delete_cookie(_name(request), secure=is_secure, httponly=True, samesite="lax")
    return response


def form_token(cookie: str) -> str:
    """Return what forms of this session carry: nobody makes it without the cookie."""
    if not cookie:
        return ""
    digest = hmac.digest(cookie.encode("utf-8", "surrogateescape"), b"form", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_token(given: str, cookie: str) -> bool:
    """Tell whether a form came from a page of this session."""
    return hmac.compare_digest(given.encode(), form_token(cookie).encode())


def visitor_with(right: str) -> Callable[[Request], Visitor]:
    """A dependency that gives the visitor; it raises SignInNeeded, or Forbidden."""

    def visitor(request: Request) -> Visitor:
        people: People = request.app.state.ground.people
        found = people.visitor(cookie_of(request))
        if found is None:
            raise SignInNeeded
        request.state.visitor = found
        found.caller.need(right)
        return found

    return visitor


Reading = Annotated[Visitor, Depends(visitor_with("read"))]
Changing = Annotated[Visitor, Depends(visitor_with("change"))]
Administering = Annotated[Visitor, Depends(visitor_with("people"))]
Managing = Annotated[Visitor, Depends(visitor_with("manage"))]

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The ground of all pages: templates, languages, headers, the form's token, errors as pages."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from muster_server.errors import Forbidden, HostError, NotFound
from muster_server.portal.firmware_kit import FirmwareKit
from muster_server.portal.pages import words
from muster_server.portal.pages.assets import Assets
from muster_server.portal.pages.forms import read_form
from muster_server.portal.pages.sessions import (
    SignInNeeded,
    cookie_of,
    form_token,
    is_token,
    visitor_with,
)
from muster_server.portal.pages.texts import COOKIE, LANGUAGES, catalogues, language_of, translator
from muster_server.portal.people import People, Visitor
from muster_server.portal.service import Portal
from muster_server.portal.streams import Streams
from muster_server.portal.transfers import Transfers
from muster_server.portal.webhooks import Webhooks
from muster_server.portal.wifi import HomeWifi
from muster_server.store.audit import AuditStore

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer" browsers send "Origin: null" with forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
Handler = TypeVar("Handler", bound=Callable[..., Any])

_LANGUAGE_S = 365 * 86400
# Where a person may be led after signing in: a path of this server, and nothing else.
_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)?")


@dataclass
class Ground:
    """The parts that pages share."""

    portal: Portal
    people: People
    wifi: HomeWifi
    streams: Streams
    audit: AuditStore
    transfers: Transfers
    webhooks: Webhooks
    kit: FirmwareKit | None = None  # for boards that are prepared here
    assets: Assets = field(default_factory=Assets)

    def __post_init__(self) -> None:
        folder = resources.files("muster_server.portal.pages") / "templates"
        self._environment = Environment(
            loader=FileSystemLoader(str(folder)),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {"asset": self.assets.address, "words": words}
        self._environment.filters |= {"at": _at, "iso": _iso}
        self._translators = {name: translator(c) for name, c in catalogues().items()}

    def text(self, request: Request, template: str, **values: Any) -> str:
        """Return what a template makes of the values, in the language of the request."""
        language = language_of(request)
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        known = {
            "t": self._translators[language],
            "language": language,
            "languages": LANGUAGES,
            "path": request.url.path,
            "query": urlencode([q for q in request.query_params.multi_items() if q[0] != "lang"]),
            "visitor": visitor,
            "me": visitor.caller if visitor else None,
            "form_token": form_token(cookie_of(request)),
        }
        return self._environment.get_template(template).render(**known, **values)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """The page, which no cache keeps."""
        text = self.text(request, template, **values)
        return Response(text, status, {"Cache-Control": "no-store"}, "text/html")

    def said(self, request: Request, text: str, **values: Any) -> str:
        """A text in the language of the request."""
        return self._translators[language_of(request)](text, **values)


def go(path: str) -> Response:
    """Lead the browser to a page of this server, with GET."""
    return RedirectResponse(own_path(path), 303)


def own_path(text: str) -> str:
    """Return the path if it leads to this server, else that of the first page."""
    path, mark, query = text.partition("?")
    is_own = _OWN_PATH.fullmatch(path) and re.fullmatch(r"[A-Za-z0-9=&_.-]*", query)
    return path + mark + query if is_own else "/"


def ground_of(request: Request) -> Ground:
    """The ground that the request's app stands on."""
    ground = request.app.state.ground
    if not isinstance(ground, Ground):
        raise TypeError("the app has no pages")
    return ground


class PageRoute(APIRoute):
    """A route of pages: a form is checked before its handler runs, and an error is a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler; no HostError gets past it."""
        handle = super().get_route_handler()
        file_bytes = getattr(self.endpoint, "file_bytes", 0)

        async def handled(request: Request) -> Response:
            try:
                if request.method == "POST":
                    _check_origin(request)
                    if file_bytes:  # of strangers no server reads so much
                        await run_in_threadpool(visitor_with("change"), request)
                    request.state.form = form = await read_form(request, file_bytes)
                    cookie = cookie_of(request)
                    if cookie and not is_token(form.text("form_token"), cookie):
                        raise Forbidden("this form is of another sign-in; load the page again")
                response = await handle(request)
            except SignInNeeded:
                back = own_path(request.url.path) if request.method == "GET" else "/"
                response = RedirectResponse(f"/sign-in?next={back}", 303)
            except RequestValidationError:
                response = failed(request, NotFound("there is no such page"))
            except HostError as error:
                response = failed(request, error)
            return finished(request, response)

        return handled


def takes_file(most_bytes: int) -> Callable[[Handler], Handler]:
    """Let a route's form have a file in it, of so many bytes at most."""

    def marked(handler: Handler) -> Handler:
        handler.file_bytes = most_bytes  # type: ignore[attr-defined]
        return handler

    return marked


def page_router() -> APIRouter:
    """A router whose routes are pages."""
    return APIRouter(route_class=PageRoute)


def _check_origin(request: Request) -> None:
    """Raise Forbidden unless the form was sent by a page of this server, as browsers say."""
    origin = request.headers.get("origin")
    if origin is not None:
        is_own = urlsplit(origin).netloc == request.headers.get("host", "")
    else:
        is_own = request.headers.get("sec-fetch-site") == "same-origin"
    if not is_own:
        raise Forbidden("this form was not sent from a page of this portal")


def failed(request: Request, error: HostError) -> Response:
    """The page that says what went wrong."""
    ground = ground_of(request)
    headers = {} if error.retry_s is None else {"Retry-After": str(error.retry_s)}
    response = ground.page(request, "error.html", error.status, error=error)
    response.headers.update(headers)
    return response


def finished(request: Request, response: Response) -> Response:
    """Give the response what each page has: its headers, and the language that was chosen."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        is_secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, asked, max_age=_LANGUAGE_S, secure=is_secure, httponly=True, samesite="lax"
        )
    return response


def _at(unix_s: float | None) -> str:
    """A time as people read it without script, e.g. "2026-11-24 09:12 UTC"."""
    if unix_s is None:
        return "–"
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _iso(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")

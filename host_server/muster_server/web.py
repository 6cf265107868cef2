# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The border between HostError and HTTP: problem documents (RFC 9457), body limits, bearer tokens.

The only place where an exception becomes a status.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster_server.api.reading import said
from muster_server.document import compact_json
from muster_server.errors import HostError, Invalid, Malformed, TooLarge, Unauthorized
from muster_server.tokens import matches_any

log = logging.getLogger(__name__)

BODY_DEADLINE_S = 10
# For every app: traces go where tracing.py sends them. Log records would carry texts of exceptions
# to a collector, metrics are at /metrics, and the environment alone shall not begin either.
TELEMETRY: TelemetryConfig = {
    "auto_configure": False,
    "metrics": False,
    "logs": False,
}

_CODE_OF_STATUS = {404: "not_found", 405: "method_not_allowed"}


def json_response(
    document: Any, status: int = 200, background: BackgroundTasks | None = None
) -> Response:
    """The document as it goes over the wire; `background` is done when it has been sent."""
    return Response(
        compact_json(document).encode(),
        status,
        media_type="application/json",
        background=background,
    )


def told_once(document: Any, status: int = 200) -> Response:
    """An answer with a secret in it that is not told again: nobody on the way keeps it."""
    response = json_response(document, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def problem(error: HostError) -> Response:
    """An RFC 9457 problem document with a stable `code`."""
    document: dict[str, Any] = {
        "title": error.title,
        "status": error.status,
        "code": error.code,
        # What is wrong inside the server is for its log, not for strangers.
        "detail": "see the server's log" if error.status == 500 else str(error),
    }
    headers = {}
    if error.path is not None:
        document["path"] = error.path
    if error.others:
        all_errors = ((error.path, error.detail), *error.others)
        document["errors"] = [{"path": path, "detail": detail} for path, detail in all_errors]
    if error.retry_s is not None:
        document["retry_s"] = error.retry_s
        headers["Retry-After"] = str(error.retry_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _problem_response(document, headers)


def _problem_response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = compact_json(document).encode()
    return Response(body, document["status"], headers, media_type="application/problem+json")


def harden(app: FastAPI) -> FastAPI:
    """Give the app the one error face that all roles share; returns the same app."""
    app.add_exception_handler(HostError, _host_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_middleware(LastResort)
    return app


def _host_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HostError)  # noqa: S101 - Starlette's signature is wider than its deed
    return refused(request.method, request.url.path, error)


def refused(method: str, path: str, error: HostError) -> Response:
    """The problem document, and a line in the log if it is the server's own."""
    if error.status >= 500:
        log.error("%s %s: %s", method, path, error)
    return problem(error)


def http_error(request: Request, error: Exception) -> Response:
    """The problem document for a path or a method that nothing answers."""
    status = getattr(error, "status_code", 500)
    code = _CODE_OF_STATUS.get(status, "malformed")
    detail = f"{request.method} {request.url.path} is not something this server answers"
    document = {"title": "Not answered here", "status": status, "code": code, "detail": detail}
    headers = dict(getattr(error, "headers", None) or {})
    if status == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return _problem_response(document, headers)


def _allowed(request: Request) -> list[str]:
    """The methods of every route at this path; Starlette names those of the first one only."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)


def _validation_error(request: Request, error: Exception) -> Response:
    # Only place and reason: the input itself may be a password.
    first = getattr(error, "errors", list)()[0]
    if first["type"] == "json_invalid":
        return problem(Malformed("the body is not JSON"))
    path = ".".join(str(part) for part in first["loc"] if part != "body")
    return problem(Invalid(said(first), path=path))


class LastResort:
    """The last catch-all: logs the traceback, answers 500 and keeps the server alive."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:  # the last catch-all: a defect ends one request, with a problem document
            log.exception("%s %s failed", scope["method"], scope["path"])
            if has_started:
                raise
            await problem(HostError("see the server's log"))(scope, receive, send)


def body_within(limit_bytes: int) -> Callable[[Request], Awaitable[bytes]]:
    """A dependency that reads the body, and stops reading as soon as it is too long."""

    async def body(request: Request) -> bytes:
        too_large = TooLarge(f"at most {limit_bytes} bytes are read")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal():
            raise Malformed("Content-Length is not a number")
        if len(length) > 12 or int(length) > limit_bytes:
            raise too_large
        received = bytearray()
        try:
            async with asyncio.timeout(BODY_DEADLINE_S):
                async for part in request.stream():
                    received += part
                    if len(received) > limit_bytes:
                        raise too_large
        except TimeoutError:
            raise Malformed(f"the body did not come within {BODY_DEADLINE_S} s") from None
        except ClientDisconnect:
            raise Malformed("the connection ended before the body did") from None
        return bytes(received)

    return body


def address_of(request: Request) -> str:
    """Return the address that asks, e.g. "192.0.2.7"; "" if what a proxy says is none.

    What a proxy passes on was written by its client: only an address goes further.
    """
    return checked_address(request.client.host if request.client else "")


@lru_cache(4096)
def checked_address(host: str) -> str:
    """Return the address, or "" if it is none."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def bearer(accepted_hashes: Callable[[], frozenset[str]]) -> Callable[[Request], Awaitable[None]]:
    """A dependency that lets only holders of one of these (hashed) tokens pass."""

    # A coroutine, for a thread would cost more than the look at the token's file.
    async def check(request: Request) -> None:
        check_bearer(request.headers.get("authorization", ""), accepted_hashes)

    return check


def check_bearer(authorization: str, accepted_hashes: Callable[[], frozenset[str]]) -> None:
    """Raise Unauthorized unless this header holds one of these (hashed) tokens."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not matches_any(token.strip(), accepted_hashes()):
        raise Unauthorized("send a token as Authorization: Bearer …")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Browsers at an address without a page get a page that says so.

A form's answer has the form's address, which knows POST alone. Who loads it again, or changes the
language there, comes with GET, and is led to the page that the form belongs to.
"""

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from muster_server.errors import NotFound
from muster_server.portal.pages.ground import failed, finished, own_path
from muster_server.web import http_error

_NOT_FOUND, _OTHER_METHOD = 404, 405


def lead_back(app: FastAPI) -> None:
    """Answer browsers with pages; what asks for JSON, or for the API, gets a problem document."""
    app.add_exception_handler(HTTPException, _answer)


def _answer(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    path = request.url.path
    is_browsing = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if not is_browsing or path.startswith("/v1/"):
        return http_error(request, error)
    if status == _OTHER_METHOD:
        query = f"?{request.url.query}" if request.url.query else ""
        above = path.rpartition("/")[0] or "/"
        return RedirectResponse(own_path(above + query), 303)
    if status == _NOT_FOUND:
        return finished(request, failed(request, NotFound("there is no such page")))
    return http_error(request, error)

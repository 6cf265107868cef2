# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M's route, the same at every address: from an HTTP request to its answer, either way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import Response

from muster_server.direct import Asked, DirectApp, NotDirect, Way, left
from muster_server.errors import HostError, Unauthorized
from muster_server.platform_server import http_binding, primitives
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.answering import Answering, told
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.notifying import VerificationNeeded
from muster_server.web import body_within, problem

Headers = Mapping[str, str]  # with names in lower case
_EVERYWHERE = "/{to:path}"


class _Answer(Response):
    """A response whose headers are all there but its length; nobody looks through them."""

    def init_headers(self, headers: Headers | None = None) -> None:
        """Write them as they go over the wire."""
        self.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in (headers or {}).items()
        ]
        self.raw_headers.append((b"content-length", b"%d" % len(self.body)))


@dataclass(frozen=True)
class _Binding:
    """The way from HTTP and back to it."""

    answering: Answering
    cse: CSE
    clock: Callable[[], float]

    def token(self, headers: Headers) -> str:
        token = http_binding.bearer_token(headers)
        if token is None:
            raise Unauthorized("send the account's token as Authorization: Bearer …")
        return token

    def parsed(
        self, method: str, path: str, query: str, headers: Headers, body: bytes
    ) -> primitives.Request:
        return http_binding.parse(method, path, query, headers, body, self.cse)

    def response(self, headers: Headers, answer: primitives.Response, status: int) -> Response:
        about, content = http_binding.rendered(headers, answer, self.clock())
        if status == Unauthorized.status:
            # Whoever makes a profile learns here that another name is wrong; it is no secret.
            about["WWW-Authenticate"] = f'Bearer cse="{self.cse.name}"'
        return _Answer(content, status, about)

    def done(self, headers: Headers, answer: primitives.Response) -> Response:
        return self.response(headers, answer, codes.HTTP_STATUS[answer.rsc])

    def refused(self, headers: Headers, error: HostError) -> Response:
        answer = told(error)
        if isinstance(error, codes.RequestRefused | Unauthorized):
            return self.response(headers, answer, error.status)
        # A bound, or a database that is busy.
        about, _ = http_binding.rendered(headers, replace(answer, document=None), self.clock())
        response = problem(error)
        response.headers.update(about)
        return response


class _OneM2MWay(Way):
    """The way of everybody who has a token; whose it is, is found with the request."""

    def __init__(self, binding: _Binding, limit_bytes: int) -> None:
        super().__init__(self.answer_here, binding.answering.quick, limit_bytes)
        self._binding = binding

    def admit(self, asked: Asked) -> None:
        """Raise Unauthorized without a token, before the body is read."""
        self._binding.token(asked.headers)

    def work(self, asked: Asked) -> Callable[[], Response] | None:
        """Return what the lane does; None for a request that has to wait, or takes long. Raises
        HostError for one that is none, and NotDirect as `answer_here` does.
        """
        if self.lane is None:
            return None
        request, token = self._request(asked)
        answering, headers = self._binding.answering, asked.headers
        if not answering.is_quick(request, headers):
            return None
        return lambda: self._done(request, token, headers)

    async def answer(self, asked: Asked) -> Response:
        """Answer, however long the request has to wait. Raises HostError."""
        request, token = self._request(asked)
        answer = await self._binding.answering.of(request, token, asked.headers, asked.gone)
        return self._binding.done(asked.headers, answer)

    def answer_here(self, asked: Asked) -> Response:
        """Answer at once. NotDirect for what has to wait for something; HostError otherwise."""
        return self._done(*self._request(asked), asked.headers)

    def _done(self, request: primitives.Request, token: str, headers: Headers) -> Response:
        try:
            answer = self._binding.answering.at_once(request, token, headers)
        except VerificationNeeded:
            raise NotDirect from None
        if answer is None:
            raise NotDirect
        return self._binding.done(headers, answer)

    def refused(self, asked: Asked, error: HostError) -> Response:
        """Say why not, in oneM2M's form."""
        return self._binding.refused(asked.headers, error)

    def _request(self, asked: Asked) -> tuple[primitives.Request, str]:
        request = self._binding.parsed(
            asked.method, asked.path, asked.query, asked.headers, asked.body
        )
        return request, self._binding.token(asked.headers)


def add_onem2m(
    app: DirectApp, answering: Answering, cse: CSE, bounds: Bounds, clock: Callable[[], float]
) -> None:
    """Let the app answer oneM2M's requests at every address that is not taken yet."""
    binding = _Binding(answering, cse, clock)
    read_body = body_within(bounds.body_bytes)

    async def onem2m(request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            token = binding.token(headers)
            body = await read_body(request)
            path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
            wanted = binding.parsed(request.method, path, request.url.query, headers, body)
            answer = await answering.of(wanted, token, headers, partial(left, request))
        except HostError as error:
            return binding.refused(headers, error)
        return binding.done(headers, answer)

    methods = [*http_binding.OPERATIONS, "PATCH"]
    FastAPI.add_route(app, _EVERYWHERE, onem2m, methods=methods, include_in_schema=False)
    for method in http_binding.OPERATIONS:
        app.direct(method, _EVERYWHERE, _OneM2MWay(binding, bounds.body_bytes))

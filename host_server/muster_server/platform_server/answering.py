# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requests that wait: for their time, for news, for the consent of a subscription's targets; and
those that are answered before they are carried out.

They wait in the event loop, without a thread and without a transaction.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from muster_server.direct import nobody_leaves
from muster_server.errors import HostError, Unauthorized, Unavailable
from muster_server.lane import Runner
from muster_server.outgoing import NotDelivered
from muster_server.platform_server import request_times
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.channels import Channels
from muster_server.platform_server.delivery import Post
from muster_server.platform_server.notifying import VerificationNeeded
from muster_server.platform_server.primitives import Operation, Request, Response, ResponseType
from muster_server.platform_server.request_resources import About, Accepted, RequestResources
from muster_server.platform_server.service import Platform
from muster_server.store.platform_outbox import Notice
from muster_server.threads import Threads

POLL = "/pcu"  # the virtual child of a polling channel
_POLL_S = 25.0  # unless the request has another time; below what front ends grant
_VENDOR_LENGTH = 256
_VERIFICATIONS = 16  # at once
# Searches have few threads of their own: however long they take, devices have theirs.
_SEARCHES = 4
_MOST_SEARCHES = 64  # that wait
_AT_ONCE = 64  # requests that are answered before they are carried out
_AGAIN_S = (1.0, 2.0, 4.0)  # between tries to keep what became of one
_TIMES = {"x-m2m-ret", "x-m2m-rst", "x-m2m-oet"}
_LATER = {
    ResponseType.SYNCHRONOUS: codes.ACCEPTED_SYNCHRONOUS,
    ResponseType.ASYNCHRONOUS: codes.ACCEPTED_ASYNCHRONOUS,
}


def told(error: HostError) -> Response:
    """The response that says why a request was not carried out."""
    return Response(_rsc(error), {"m2m:dbg": str(error)})


def _rsc(error: HostError) -> int:
    if isinstance(error, codes.RequestRefused):
        return error.rsc
    if isinstance(error, Unauthorized):
        # In oneM2M's form, so that whoever asks can tell this platform's refusal from that of
        # something in between.
        return codes.SecurityAssociationRequired.rsc
    is_servers = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return codes.RequestRefused.rsc if is_servers else codes.BadRequest.rsc


def _about(headers: Mapping[str, str], until: float) -> About:
    targets, vendor = headers.get("x-m2m-rtu"), headers.get("x-m2m-vsi")
    if vendor is not None and len(vendor) > _VENDOR_LENGTH:
        raise codes.BadRequest(f"X-M2M-VSI: at most {_VENDOR_LENGTH} characters")
    named = None if targets is None else tuple(filter(None, targets.split("&")))
    return About(headers["x-m2m-ri"], until, named, vendor)


def _is_plain(request: Request, headers: Mapping[str, str]) -> bool:
    has_times = request.persistence is not None or _TIMES & headers.keys()
    is_plain = request.response_type is ResponseType.BLOCKING and not has_times
    return is_plain and not request.to.endswith(POLL)


class Answering:
    """Answers to requests, those included that wait."""

    def __init__(
        self,
        platform: Platform,
        channels: Channels,
        post: Post,
        clock: Callable[[], float],
        threads: Threads,
        quick: Runner,
        requests: RequestResources,
        deliver: Callable[[list[Notice]], None],
    ) -> None:
        self._platform = platform
        self._channels = channels
        self._post = post
        self._clock = clock
        self._threads = threads
        self.quick = quick  # for what neither searches nor removes much
        self._searching = Threads(_SEARCHES)
        self._searches_here = threading.BoundedSemaphore(_SEARCHES)  # by threads of other roles
        self._requests = requests
        self._deliver = deliver
        self._verifying = 0
        self._later: set[asyncio.Task[None]] = set()

    async def of(
        self,
        request: Request,
        token: str,
        headers: Mapping[str, str],
        gone: Callable[[], Awaitable[object]] = nobody_leaves,
    ) -> Response:
        """The answer; RequestRefused, such as NotVerified, Unauthorized or Unavailable if none.
        `gone` returns when nobody waits for it any more.
        """
        wait_s = request_times.wait_s(headers, self._clock())
        until = request_times.kept_until(headers, request.persistence, self._clock())
        if request.response_type in _LATER:
            return await self._accepted(request, token, headers, wait_s, until)
        await asyncio.sleep(wait_s)
        answer = await self._now(request, token, headers, gone)
        is_silent = request.response_type is ResponseType.NONE
        return replace(answer, document=None) if is_silent else answer

    def at_once(self, request: Request, token: str, headers: Mapping[str, str]) -> Response | None:
        """The answer by this thread, with the same errors; None for what may have to wait, and for
        one search too many. Raises VerificationNeeded, too.
        """
        if not _is_plain(request, headers):
            return None
        if not request.searches:
            return self._platform.answer(request, token)
        if not self._searches_here.acquire(blocking=False):
            return None
        try:
            return self._platform.answer(request, token)
        finally:
            self._searches_here.release()

    def is_quick(self, request: Request, headers: Mapping[str, str]) -> bool:
        """Tell whether the request is answered at once, and in little time."""
        return _is_plain(request, headers) and self._fitting(request) is self.quick

    async def close(self) -> None:
        """Give up what is still to be carried out; its resources say so after the next start."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _accepted(
        self,
        request: Request,
        token: str,
        headers: Mapping[str, str],
        wait_s: float,
        until: float,
    ) -> Response:
        if len(self._later) >= _AT_ONCE:
            raise Unavailable("many requests are to be answered later", retry_s=5)
        about = _about(headers, until)
        accepted = await self._threads.run(self._requests.accept, request, token, about)
        doing = self._carry_out(accepted, request, token, headers, wait_s)
        task = asyncio.get_running_loop().create_task(doing)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return Response(_LATER[request.response_type], {"m2m:uri": accepted.path})

    async def _carry_out(
        self,
        accepted: Accepted,
        request: Request,
        token: str,
        headers: Mapping[str, str],
        wait_s: float,
    ) -> None:
        await asyncio.sleep(wait_s)
        try:
            answer = await self._now(request, token, headers)
        except HostError as error:
            answer = told(error)
        for again_s in _AGAIN_S:
            try:
                notices = await self._threads.run(
                    self._requests.conclude, accepted, answer.rsc, answer.document
                )
            except Unavailable:
                await asyncio.sleep(again_s)  # the store has said why
            else:
                self._deliver(notices)
                return

    async def _now(
        self,
        request: Request,
        token: str,
        headers: Mapping[str, str],
        gone: Callable[[], Awaitable[object]] = nobody_leaves,
    ) -> Response:
        if request.to.endswith(POLL):
            entity = await self._threads.run(self._platform.polled, request, token)
            if entity is not None:
                return await self._polled(request, entity, headers, gone)
        if request.searches and self._searching.waiting >= _MOST_SEARCHES:
            raise Unavailable("many searches are under way", retry_s=5)
        try:
            return await self._fitting(request).run(self._platform.answer, request, token)
        except VerificationNeeded as needed:
            await self._verify(needed)
            verified = frozenset(needed.urls)
            request = replace(request, verified=verified, new_id=needed.subscription.ri)
        try:
            return await self._threads.run(self._platform.answer, request, token)
        except VerificationNeeded:  # its targets have changed meanwhile
            raise codes.NotVerified("nu: a target has changed; try again") from None

    def _fitting(self, request: Request) -> Runner:
        if request.searches:
            return self._searching
        return self._threads if request.operation is Operation.DELETE else self.quick

    async def _polled(
        self,
        request: Request,
        entity: str,
        headers: Mapping[str, str],
        gone: Callable[[], Awaitable[object]],
    ) -> Response:
        if request.operation is Operation.CREATE:
            answer = request.document.get("m2m:rsp")
            request_id = answer.get("rqi") if isinstance(answer, dict) else None
            if not isinstance(request_id, str):
                raise codes.BadRequest('wanted {"m2m:rsp": {"rqi": …}}, the id of what was polled')
            if not await self._channels.answered(entity, request_id):
                raise codes.NotFound("rqi: nothing with this id waits for an answer")
            return Response(codes.OK)
        if request.operation is not Operation.RETRIEVE:
            raise codes.OperationNotAllowed("pcu is polled, and told what was answered")
        wait_s = request_times.left_s(headers, self._clock(), _POLL_S)
        found = await self._channels.fetch(entity, wait_s, gone)
        if found is None:
            raise codes.RequestTimeout("nothing is there")
        return Response(codes.OK, found)

    async def _verify(self, needed: VerificationNeeded) -> None:
        if self._verifying >= _VERIFICATIONS:
            raise Unavailable("many subscriptions are being verified", retry_s=5)
        body = f'{{"m2m:sgn":{needed.body}}}'.encode()
        self._verifying += 1
        try:
            await asyncio.gather(*(self._post(url, body) for url in needed.urls))
        except NotDelivered as error:
            raise codes.NotVerified(f"nu: a target did not agree ({error})") from None
        finally:
            self._verifying -= 1

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requests that wait for somebody: a poll for news, and a subscription for its targets' consent.

They wait in the event loop, without a thread and without a transaction.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from muster_server.errors import Unavailable
from muster_server.platform_server import request_times
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.channels import Channels
from muster_server.platform_server.delivery import Post
from muster_server.platform_server.notifying import VerificationNeeded
from muster_server.platform_server.outgoing import NotDelivered
from muster_server.platform_server.primitives import Operation, Request, Response
from muster_server.platform_server.service import Platform
from muster_server.threads import Threads

POLL = "/pcu"  # the virtual child of a polling channel
_POLL_S = 25.0  # unless the request has another time; below what front ends grant
_VERIFICATIONS = 16  # at once


class Answering:
    """Answers to requests, those included that wait."""

    def __init__(
        self,
        platform: Platform,
        channels: Channels,
        post: Post,
        clock: Callable[[], float],
        threads: Threads,
    ) -> None:
        self._platform = platform
        self._channels = channels
        self._post = post
        self._clock = clock
        self._threads = threads
        self._verifying = 0

    async def of(self, request: Request, token: str, headers: Mapping[str, str]) -> Response:
        """The answer; RequestRefused, such as NotVerified, Unauthorized or Unavailable if none."""
        if request.to.endswith(POLL):
            entity = await self._threads.run(self._platform.polled, request, token)
            if entity is not None:
                return await self._polled(request, entity, headers)
        try:
            return await self._threads.run(self._platform.answer, request, token)
        except VerificationNeeded as needed:
            await self._verify(needed)
            verified = frozenset(needed.urls)
            request = replace(request, verified=verified, new_id=needed.subscription.ri)
        try:
            return await self._threads.run(self._platform.answer, request, token)
        except VerificationNeeded:  # its targets have changed meanwhile
            raise codes.NotVerified("nu: a target has changed; try again") from None

    async def _polled(self, request: Request, entity: str, headers: Mapping[str, str]) -> Response:
        if request.operation is Operation.CREATE:
            answer = request.document.get("m2m:rsp")
            request_id = answer.get("rqi") if isinstance(answer, dict) else None
            if not isinstance(request_id, str):
                raise codes.BadRequest('wanted {"m2m:rsp": {"rqi": …}}, the id of what was polled')
            if not self._channels.answered(entity, request_id):
                raise codes.NotFound("rqi: nothing with this id waits for an answer")
            return Response(codes.OK)
        if request.operation is not Operation.RETRIEVE:
            raise codes.OperationNotAllowed("pcu is polled, and told what was answered")
        wait_s = request_times.left_s(headers, self._clock(), _POLL_S)
        found = await self._channels.fetch(entity, wait_s)
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

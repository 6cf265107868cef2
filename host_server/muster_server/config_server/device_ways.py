# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The routes that a fleet asks most, with their direct ways: a device's sync, and its claim."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from starlette.background import BackgroundTask

from muster_server.api import bodies
from muster_server.api.reading import read_body
from muster_server.config_server.devices import DeviceService
from muster_server.config_server.limits import Places
from muster_server.config_server.recognition import Stranger
from muster_server.config_server.sync import MESSAGE_LIMIT_BYTES, SyncService
from muster_server.direct import Asked, DirectApp, Hashes, NotDirect, Way
from muster_server.errors import Unavailable
from muster_server.threads import Threads
from muster_server.web import address_of, body_within, checked_address, json_response

_OCTETS = "application/octet-stream"
_SYNC, _CLAIM = "/v1/devices/{device_id}/sync", "/v1/devices"

# Device, key's name, message and address -> the directive
Answer = Callable[[str, str, bytes, str], Awaitable[Response]]


class _SyncWay(Way):
    """The way of devices, which no token opens."""

    def __init__(self, answered: Answer) -> None:
        self.read = body_within(MESSAGE_LIMIT_BYTES)
        self._answered = answered

    def admit(self, asked: Asked) -> None:
        """Let everybody in: the message proves who asks."""

    async def answer(self, asked: Asked) -> Response:
        """Direct the device. NotDirect for a query that has other fields than the key's name."""
        k = asked.queried("k").get("k", "")
        address = checked_address(asked.client)
        return await self._answered(asked.parts["device_id"], k, asked.body, address)

    def answer_here(self, asked: Asked) -> Response:
        """No role is a device: NotDirect."""
        raise NotDirect


def add_sync(
    app: DirectApp,
    syncs: SyncService,
    threads: Threads,
    places: Places,
    run_jobs: Callable[[], Awaitable[None]],
) -> None:
    """Add the sync. `run_jobs` is done when the directive has been sent."""
    refusing = Threads(1)  # the refusals are told in the order in which they began
    Message = Annotated[bytes, Depends(body_within(MESSAGE_LIMIT_BYTES))]  # noqa: N806

    async def answered(device_id: str, k: str, message: bytes, address: str) -> Response:
        waiting = threads.waiting
        if not places.has_room(address, waiting):
            retry_s = places.retry_s(waiting)
            raise Unavailable("too many devices at once", retry_s=retry_s)
        try:
            answer = await threads.run(syncs.answer, device_id, k, message, address)
        except Stranger as stranger:
            await refusing.run(stranger.wait)
            raise
        places.done()
        return Response(answer, media_type=_OCTETS, background=BackgroundTask(run_jobs))

    @app.post(_SYNC)
    async def sync(request: Request, device_id: str, message: Message, k: str = "") -> Response:
        return await answered(device_id, k, message, address_of(request))

    app.direct("POST", _SYNC, _SyncWay(answered))


def add_claim(
    app: DirectApp,
    devices: DeviceService,
    threads: Threads,
    limit_bytes: int,
    accepted_hashes: Hashes,
    guard: Any,
) -> None:
    """Add the registration of one device by its label."""
    Body = Annotated[bytes, Depends(body_within(limit_bytes))]  # noqa: N806

    def registered(body: bytes, owner: str) -> Response:
        claim = read_body(bodies.Claim, body)
        shown = devices.register(
            claim.label, claim.profile, claim.name, owner, claim.portal_ms, claim.until
        )
        return json_response(shown, 201)

    @app.post(_CLAIM, dependencies=[guard])
    def register(body: Body, owner: str) -> Response:
        return registered(body, owner)

    def directly(asked: Asked) -> Response:
        owner = asked.queried("owner").get("owner")
        if owner is None:
            raise NotDirect
        return registered(asked.body, owner)

    app.direct("POST", _CLAIM, Way(directly, threads, limit_bytes, accepted_hashes))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The routes that a fleet asks most, with their direct ways: a device's sync, and its claim."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from muster_server.lane import Runner
from muster_server.threads import Threads
from muster_server.web import address_of, body_within, checked_address, json_response

log = logging.getLogger(__name__)

_OCTETS = "application/octet-stream"
_SYNC, _CLAIM = "/v1/devices/{device_id}/sync", "/v1/devices"
_REFUSING = 8  # threads, which wait until a refusal may be told

RunJobs = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class _Syncing:
    """The service of syncs, with the places to wait for it."""

    syncs: SyncService
    threads: Runner
    refusing: Threads
    places: Places
    run_jobs: RunJobs  # done when a directive has been sent
    has_jobs: Callable[[], bool]

    def check_room(self, address: str) -> None:
        waiting = self.threads.waiting
        if not self.places.has_room(address, waiting):
            retry_s = self.places.retry_s(waiting)
            raise Unavailable("too many devices at once", retry_s=retry_s)

    async def answered(self, device_id: str, k: str, message: bytes, address: str) -> Response:
        self.check_room(address)
        try:
            answer = await self.threads.run(self.syncs.answer, device_id, k, message, address)
        except Stranger as stranger:
            await self.refusing.run(stranger.wait)
            raise
        self.places.done()
        return Response(answer, media_type=_OCTETS, background=BackgroundTask(self.run_jobs))


class _SyncWay(Way):
    """The way of devices, which no token opens."""

    def __init__(self, syncing: _Syncing) -> None:
        super().__init__(_refuse, syncing.threads, MESSAGE_LIMIT_BYTES)
        self._syncing = syncing
        self._running: set[asyncio.Task[None]] = set()

    def admit(self, asked: Asked) -> None:
        """Let everybody in: the message proves who asks."""

    async def answer(self, asked: Asked) -> Response:
        """Direct the device. NotDirect for a query that has other fields than the key's name."""
        return await self._syncing.answered(*_about(asked))

    def work(self, asked: Asked) -> Callable[[], Response] | None:
        """Return the sync, for the lane. Raises NotDirect as `answer` does, and Unavailable if too
        many wait.
        """
        if self.lane is None:
            return None
        about = _about(asked)
        self._syncing.check_room(about[3])
        return lambda: Response(self._syncing.syncs.answer(*about), media_type=_OCTETS)

    async def ripe(self, error: Exception) -> None:
        """Return when a stranger may be told so."""
        if isinstance(error, Stranger):
            await self._syncing.refusing.run(error.wait)

    def sent(self) -> None:
        """See to the jobs that have come up."""
        self._syncing.places.done()
        if not self._syncing.has_jobs():
            return
        task = asyncio.get_running_loop().create_task(_run(self._syncing.run_jobs))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _refuse(asked: Asked) -> Response:
    raise NotDirect  # no role of this process is a device


async def _run(run_jobs: RunJobs) -> None:
    try:
        await run_jobs()
    except Exception:  # the last catch-all of this task, of which nobody else hears
        log.exception("the jobs after a sync failed")


def _about(asked: Asked) -> tuple[str, str, bytes, str]:
    """Device, key's name, message and address."""
    k = asked.queried("k").get("k", "")
    return asked.parts["device_id"], k, asked.body, checked_address(asked.client)


def add_sync(
    app: DirectApp,
    syncs: SyncService,
    threads: Runner,
    places: Places,
    run_jobs: RunJobs,
    has_jobs: Callable[[], bool],
) -> None:
    """Add the sync. `run_jobs` is done when the directive has been sent, if there are any."""
    refusing = Threads(_REFUSING)
    Message = Annotated[bytes, Depends(body_within(MESSAGE_LIMIT_BYTES))]  # noqa: N806
    syncing = _Syncing(syncs, threads, refusing, places, run_jobs, has_jobs)

    @app.post(_SYNC)
    async def sync(request: Request, device_id: str, message: Message, k: str = "") -> Response:
        return await syncing.answered(device_id, k, message, address_of(request))

    app.direct("POST", _SYNC, _SyncWay(syncing))


def add_claim(
    app: DirectApp,
    devices: DeviceService,
    threads: Runner,
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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The direct way of a claim at the portal, for who comes with the administrator's token.

Whoever comes with a user's token goes the framework's way: whose it is, is asked of the database,
and no body is read before that is known.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response

from muster_server.api import bodies, views
from muster_server.api.description import Description
from muster_server.api.reading import read_body
from muster_server.direct import Asked, DirectApp, Hashes, NotDirect, Way
from muster_server.errors import HostError, Unauthorized
from muster_server.lane import Runner
from muster_server.portal.access import ADMINISTRATOR, Asking, Caller
from muster_server.portal.deeds import called, deed_by, write_down
from muster_server.portal.service import Portal
from muster_server.store.audit import AuditStore
from muster_server.web import (
    address_of,
    body_within,
    check_bearer,
    checked_address,
    json_response,
    refused,
)

_CLAIM = "/v1/devices"

# Body and who sends it -> the device as it is shown; HostError
Register = Callable[[bytes, Caller], dict[str, Any]]


class _ClaimWay(Way):
    """The way of one who is known, and may do everything; each claim stands in the audit log."""

    def __init__(
        self,
        register: Register,
        threads: Runner,
        limit_bytes: int,
        accepted_hashes: Hashes,
        audit: AuditStore | None,
        deed: str,
    ) -> None:
        """`audit` is the log, if there is one, and `deed` what a claim is called there."""
        super().__init__(self._claimed, threads, limit_bytes)
        self._register = register
        self._hashes = accepted_hashes
        self._audit = audit
        self._deed = deed
        self._read_within = self.read
        self.read = self._read

    def admit(self, asked: Asked) -> None:
        """Let the administrator's token in. NotDirect for all others."""
        try:
            check_bearer(asked.headers.get("authorization", ""), self._hashes)
        except Unauthorized:
            raise NotDirect from None

    async def _read(self, request: Request) -> bytes:
        try:
            return await self._read_within(request)
        except HostError as error:
            await self._threads.run(self._note, address_of(request), "", error.status)
            raise

    def _claimed(self, asked: Asked) -> Response:
        about = ""
        try:
            shown = self._register(asked.body, ADMINISTRATOR)
            about, response = shown["device_id"], json_response(shown, 201)
        except HostError as error:
            response = refused(asked.method, asked.path, error)
        # Before the answer, so that whoever has it finds it in the log.
        self._note(checked_address(asked.client), about, response.status_code)
        return response

    def _note(self, address: str, about: str, status: int) -> None:
        if self._audit is not None:
            who = (ADMINISTRATOR.name, ADMINISTRATOR.owner)
            deed = deed_by(*who, address, self._deed, about, status, time.time())
            write_down(self._audit, deed)


def add_claim(
    app: DirectApp,
    portal: Portal,
    described: Description,
    guard: list[Any],
    threads: Runner,
    limit_bytes: int,
    accepted_hashes: Hashes,
    audit: AuditStore | None,
) -> None:
    """Add step 1 for one device; `audit` is the log of what is done, if there is one."""
    Body = Annotated[bytes, Depends(body_within(limit_bytes))]  # noqa: N806
    about = described.of(views.Device, bodies.NewDevice, 201)

    def registered(body: bytes, caller: Caller) -> dict[str, Any]:
        device = read_body(bodies.NewDevice, body)
        caller.need_profile(device.profile)
        return portal.register(device, caller.owner)

    @app.post(_CLAIM, dependencies=guard, **about)
    def register_device(request: Request, body: Body, caller: Asking) -> Response:
        """Step 1: register a device by its label."""
        shown = registered(body, caller)
        request.state.about = shown["device_id"]
        return json_response(shown, 201)

    deed = called(register_device.__name__)
    way = _ClaimWay(registered, threads, limit_bytes, accepted_hashes, audit, deed)
    app.direct("POST", _CLAIM, way)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The route by which the portal has a device go from one owner to the next."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import Response

from muster_server.api.bodies import Transfer
from muster_server.api.reading import read_body
from muster_server.config_server.transfer import TransferService
from muster_server.web import body_within, json_response

_LIMIT_BYTES = 4096

Body = Annotated[bytes, Depends(body_within(_LIMIT_BYTES))]


def add_transfer(
    app: FastAPI, transfers: TransferService, run_jobs: Callable[[], Awaitable[None]], guard: Any
) -> None:
    """The route."""

    @app.post("/v1/devices/{device_id}/transfer", dependencies=[guard])
    def transfer(device_id: str, owner: str, body: Body, later: BackgroundTasks) -> Response:
        later.add_task(run_jobs)  # the former account is closed now, not with the next chores
        to = read_body(Transfer, body)
        known = transfers.transfer(device_id, owner, to.to, to.profile, to.name)
        return json_response(known, background=later)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The route at which platforms say that something changed (oneM2M notifications, TS-0009).

Anybody can say that, so nothing of it is believed: it makes this server look at the platform, as
itself, and at most once a second.
"""

from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, Path, Request
from fastapi.responses import Response

from muster_server.config_server.field_configuration import FieldConfiguration
from muster_server.config_server.object_places import CALLBACK
from muster_server.threads import Threads
from muster_server.web import body_within

_LIMIT_BYTES = 16 * 1024
DeviceId = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9.-]{0,31}$")]


def add_changes(app: FastAPI, fields: FieldConfiguration, threads: Threads) -> None:
    """Add the route."""
    Body = Annotated[bytes, Depends(body_within(_LIMIT_BYTES))]  # noqa: N806

    @app.post(CALLBACK + "/{device_id}")
    async def changed(
        request: Request, device_id: DeviceId, body: Body, later: BackgroundTasks
    ) -> Response:
        if b'"vrq"' not in body:
            fields.called(device_id)

        async def look() -> None:
            await threads.run(fields.answer_calls)

        later.add_task(look)
        headers = {"X-M2M-RSC": "2000", "X-M2M-RVI": request.headers.get("X-M2M-RVI", "4")[:2]}
        request_id = request.headers.get("X-M2M-RI", "")
        if request_id.isascii() and request_id.isprintable():
            headers["X-M2M-RI"] = request_id[:64]
        return Response(status_code=200, headers=headers, background=later)

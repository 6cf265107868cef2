# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's routes for readings and readers, for the portal."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from muster_server.api import bodies
from muster_server.api.queries import WantedReadings
from muster_server.api.reading import read_body
from muster_server.config_server.readers import ReaderService
from muster_server.config_server.readings import ReadingService
from muster_server.web import body_within, json_response

_BODY_LIMIT_BYTES = 4096

Body = Annotated[bytes, Depends(body_within(_BODY_LIMIT_BYTES))]


def add_reading(
    app: FastAPI, readings: ReadingService, readers: ReaderService, guard: Any
) -> None:
    """The routes, for holders of the token that `guard` asks for."""

    @app.get("/v1/devices/{device_id}/readings", dependencies=[guard])
    def show(device_id: str, owner: str, wanted: Annotated[WantedReadings, Query()]) -> Response:
        return json_response(readings.of(device_id, owner, wanted.after, wanted.limit))

    @app.post("/v1/readers", dependencies=[guard])
    def add(owner: str, body: Body) -> Response:
        wanted = read_body(bodies.NewReader, body)
        return json_response(readers.add(owner, wanted.name, wanted.kind), 201)

    @app.get("/v1/readers", dependencies=[guard])
    def show_all(owner: str) -> Response:
        return json_response({"readers": readers.all_shown(owner)})

    @app.delete("/v1/readers/{name}", dependencies=[guard])
    def remove(name: str, owner: str) -> Response:
        readers.remove(owner, name)
        return Response(status_code=204)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's routes for readings, and for the accounts that only read."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from muster_server.api import bodies, views
from muster_server.api.description import Description
from muster_server.api.queries import WantedReadings
from muster_server.api.reading import read_body
from muster_server.portal.access import Owner
from muster_server.portal.service import Portal
from muster_server.web import body_within, json_response

_BODY_LIMIT_BYTES = 4096

Body = Annotated[bytes, Depends(body_within(_BODY_LIMIT_BYTES))]


def add_reading(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    """The routes, for holders of the token that `guard` asks for."""
    shown = described.of(views.Readings)
    added = described.of(views.IssuedReader, bodies.NewReader, 201)

    @app.get("/v1/devices/{device_id}/readings", dependencies=guard, **shown)
    def show_readings(
        device_id: str, wanted: Annotated[WantedReadings, Query()], owner: Owner
    ) -> Response:
        """Return what the device has published at its platform, read with an account that may
        only read.
        """
        return json_response(portal.readings(device_id, owner, wanted))

    @app.post("/v1/readers", dependencies=guard, **added)
    def add_reader(body: Body, owner: Owner) -> Response:
        """An account for a backend: it may retrieve and discover what the owner's devices keep at
        the platform, and nothing else.
        """
        reader = read_body(bodies.NewReader, body)
        return json_response(portal.add_reader(reader, owner), 201)

    @app.get("/v1/readers", dependencies=guard, **described.of(views.Readers))
    def list_readers(owner: Owner) -> Response:
        """All readers, without their tokens."""
        return json_response(portal.readers(owner))

    @app.delete("/v1/readers/{name}", dependencies=guard, **described.of(status=204))
    def remove_reader(name: str, owner: Owner) -> Response:
        """Close a reader's account: its token is good for nothing from then on."""
        portal.remove_reader(name, owner)
        return Response(status_code=204)

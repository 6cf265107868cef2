# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's routes for commands to devices."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from muster_server.api import bodies, bounds, command_views
from muster_server.api.description import Description
from muster_server.api.reading import read_body
from muster_server.portal.access import Owner
from muster_server.portal.service import Portal
from muster_server.web import body_within, json_response

Body = Annotated[bytes, Depends(body_within(bounds.COMMAND_BODY_BYTES))]


def add_commanding(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    """The routes, for holders of the token that `guard` asks for."""
    given = described.of(command_views.Command, bodies.NewCommand, 201)

    @app.post("/v1/devices/{device_id}/commands", dependencies=guard, **given)
    def command_device(device_id: str, body: Body, owner: Owner) -> Response:
        """Have the device's application told something, as soon as it looks."""
        command = read_body(bodies.NewCommand, body)
        return json_response(portal.command(device_id, command, owner), 201)

    shown = described.of(command_views.Command)

    @app.get("/v1/devices/{device_id}/commands/{command_id}", dependencies=guard, **shown)
    def show_command(device_id: str, command_id: str, owner: Owner) -> Response:
        """Return how far a command has come, and what the device answered."""
        return json_response(portal.command_progress(device_id, command_id, owner))

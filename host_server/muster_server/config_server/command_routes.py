# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's routes for commands, for the portal."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from muster_server.api import bodies, bounds
from muster_server.api.reading import read_body
from muster_server.config_server.commanding import CommandService
from muster_server.web import body_within, json_response

Body = Annotated[bytes, Depends(body_within(bounds.COMMAND_BODY_BYTES))]


def add_commanding(app: FastAPI, commands: CommandService, guard: Any) -> None:
    """The routes, for holders of the token that `guard` asks for."""

    @app.post("/v1/devices/{device_id}/commands", dependencies=[guard])
    def give(device_id: str, owner: str, body: Body) -> Response:
        new = read_body(bodies.NewCommand, body)
        return json_response(commands.give(device_id, owner, new.value, new.life_s), 201)

    @app.get("/v1/devices/{device_id}/commands/{command_id}", dependencies=[guard])
    def show(device_id: str, command_id: str, owner: str) -> Response:
        return json_response(commands.progress(device_id, owner, command_id))

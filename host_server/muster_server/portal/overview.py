# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's route for an owner's devices at a glance."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from muster_server.api import overview_views
from muster_server.api.description import Description
from muster_server.portal.access import Owner
from muster_server.portal.service import Portal
from muster_server.web import json_response


def add_overview(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    """The route, for holders of the token that `guard` asks for."""
    shown = described.of(overview_views.Overview)

    @app.get("/v1/overview", dependencies=guard, **shown)
    def show_overview(owner: Owner) -> Response:
        """Devices by state, steps by success and duration, failures by code, who is silent."""
        return json_response(portal.overview(owner))

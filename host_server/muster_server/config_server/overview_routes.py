# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's route for an owner's overview, for the portal."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response

from muster_server.config_server.overview import OverviewService
from muster_server.web import json_response


def add_overview(app: FastAPI, overview: OverviewService, guard: Any) -> None:
    """The route, for holders of the token that `guard` asks for."""

    @app.get("/v1/overview", dependencies=[guard])
    def show(owner: str) -> Response:
        return json_response(overview.of(owner))

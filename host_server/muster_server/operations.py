# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What operators and their programs ask: is it alive, is it ready, how is it doing?

On an address of its own, without a token: it tells counts, states and codes, no id and no name.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from muster_server.errors import HostError
from muster_server.metering import Meters
from muster_server.threads import Threads, use_threads
from muster_server.web import TELEMETRY, harden, json_response

LEAST_FREE_BYTES = 64 * 1024 * 1024
_AT_ONCE = 2


def create_app(meters: Meters, checks: dict[str, Callable[[], None]], data_dir: Path) -> FastAPI:
    """The app; `checks` raise HostError where a part cannot do its work."""
    app = FastAPI(
        title="Muster operations",
        redirect_slashes=False,
        telemetry=TELEMETRY,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    use_threads(app, Threads(_AT_ONCE))
    every = {**checks, "disk": lambda: check_disk(data_dir)}

    @app.get("/health")
    async def health() -> Response:
        """Answered by the very loop that serves the devices."""
        return json_response({"status": "alive"})

    @app.get("/ready")
    def ready() -> Response:
        found = {name: _outcome(check) for name, check in every.items()}
        is_ready = set(found.values()) == {"ok"}
        status = "ready" if is_ready else "not ready"
        return json_response({"status": status, "checks": found}, 200 if is_ready else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)

    return harden(app)


def check_disk(data_dir: Path) -> None:
    """HostError if the data's disk is nearly full."""
    free = shutil.disk_usage(data_dir).free
    if free < LEAST_FREE_BYTES:
        raise HostError(f"{free // 1024**2} MiB are left on the disk of the data")


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except HostError as error:
        return str(error)
    return "ok"

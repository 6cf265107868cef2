# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's routes: a JSON API with an OpenAPI document."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.responses import Response

from muster_server.document import parse_json
from muster_server.portal import openapi
from muster_server.portal.offline import add_offline
from muster_server.portal.openapi import described
from muster_server.portal.service import Portal
from muster_server.web import bearer, body_within, harden, json_response

BODY_LIMIT_BYTES = 256 * 1024
# There is one account so far: the administrator's.
OWNER = "admin"

Body = Annotated[bytes, Depends(body_within(BODY_LIMIT_BYTES))]


def create_app(portal: Portal, accepted_hashes: Callable[[], frozenset[str]]) -> FastAPI:
    """The portal in front of a configuration server."""
    app = FastAPI(title="Muster portal", redirect_slashes=False, docs_url=None, redoc_url=None)
    guard = Depends(bearer(accepted_hashes))
    _add_devices(app, portal, guard)
    _add_profiles(app, portal, guard)
    add_offline(app, portal, guard, OWNER)
    _describe_security(app)
    return harden(app)


def _add_devices(app: FastAPI, portal: Portal, guard: Any) -> None:
    shown = described(openapi.DEVICE)
    register = described(openapi.DEVICE, openapi.NEW_DEVICE, 201)

    @app.post("/v1/devices", status_code=201, dependencies=[guard], openapi_extra=register)
    def register_device(body: Body) -> Response:
        """Step 1: register a device by its label."""
        return json_response(portal.register(parse_json(body), OWNER), 201)

    @app.get("/v1/devices", dependencies=[guard], openapi_extra=described({"type": "object"}))
    def list_devices() -> Response:
        """All devices."""
        return json_response(portal.devices(OWNER))

    @app.get("/v1/devices/{device_id}", dependencies=[guard], openapi_extra=shown)
    def show_device(device_id: str) -> Response:
        """How far a device has come, step by step."""
        return json_response(portal.device(device_id, OWNER))

    @app.post("/v1/devices/{device_id}/window", dependencies=[guard], openapi_extra=shown)
    def open_window(device_id: str) -> Response:
        """Let the label be used again."""
        return json_response(portal.open_window(device_id, OWNER))

    timeline = described(openapi.TIMELINE)

    @app.get("/v1/devices/{device_id}/timeline", dependencies=[guard], openapi_extra=timeline)
    def show_timeline(device_id: str) -> Response:
        """What device, servers and platform saw, in one table, with the first cause of a
        failure.
        """
        return json_response(portal.timeline(device_id, OWNER))

    @app.post("/v1/devices/{device_id}/account", dependencies=[guard], openapi_extra=shown)
    def replace_account(device_id: str) -> Response:
        """Give the device a new account, e.g. after platform_conflict."""
        return json_response(portal.new_account(device_id, OWNER))

    gone = described(status=204)

    @app.delete(
        "/v1/devices/{device_id}", status_code=204, dependencies=[guard], openapi_extra=gone
    )
    def release_device(device_id: str) -> Response:
        """End the ownership: the device's account is closed."""
        portal.release(device_id, OWNER)
        return Response(status_code=204)

    vendor = described({"type": "object"}, openapi.VENDOR_DEVICES)

    @app.post("/v1/vendor/devices", dependencies=[guard], openapi_extra=vendor)
    def register_for_vendor(body: Body) -> Response:
        """Register devices in bulk before they are sold."""
        return json_response(portal.register_for_vendor(parse_json(body)))


def _add_profiles(app: FastAPI, portal: Portal, guard: Any) -> None:
    shown = described({"type": "object"})
    added = described(openapi.PROFILE, openapi.PROFILE, 201)
    replaced = described(openapi.PROFILE, openapi.PROFILE)

    @app.post("/v1/profiles", status_code=201, dependencies=[guard], openapi_extra=added)
    def add_profile(body: Body) -> Response:
        """Keep a new profile."""
        return json_response(portal.add_profile(parse_json(body)), 201)

    @app.get("/v1/profiles", dependencies=[guard], openapi_extra=shown)
    def list_profiles() -> Response:
        """The names of all profiles."""
        return json_response(portal.profiles())

    @app.get("/v1/profiles/{name}", dependencies=[guard], openapi_extra=shown)
    def show_profile(name: str) -> Response:
        """A profile without its secrets."""
        return json_response(portal.profile(name))

    @app.put("/v1/profiles/{name}", dependencies=[guard], openapi_extra=replaced)
    def replace_profile(name: str, body: Body) -> Response:
        """Change a profile; its devices follow at their next sync."""
        return json_response(portal.replace_profile(name, parse_json(body)))

    @app.delete(
        "/v1/profiles/{name}",
        status_code=204,
        dependencies=[guard],
        openapi_extra=described(status=204),
    )
    def remove_profile(name: str) -> Response:
        """Forget a profile that no device uses."""
        portal.remove_profile(name)
        return Response(status_code=204)


def _describe_security(app: FastAPI) -> None:
    made = app.openapi

    def with_security() -> dict[str, Any]:
        document = made()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer"}
        return document

    app.openapi = with_security  # type: ignore[method-assign]

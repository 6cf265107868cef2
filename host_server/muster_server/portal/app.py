# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's routes: a JSON API with an OpenAPI document."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from muster_server.api import bodies, profiles, views
from muster_server.api.description import Description
from muster_server.api.queries import WantedDevices
from muster_server.api.reading import read_body
from muster_server.direct import DirectApp
from muster_server.document import parse_json
from muster_server.lane import Lane
from muster_server.outgoing import Rules
from muster_server.portal.access import Asking, Owner, door
from muster_server.portal.account_api import add_account
from muster_server.portal.answer_headers import completing
from muster_server.portal.claim_way import add_claim
from muster_server.portal.commanding import add_commanding
from muster_server.portal.offline import add_offline
from muster_server.portal.overview import add_overview
from muster_server.portal.reading import add_reading
from muster_server.portal.rollout_api import add_rollouts
from muster_server.portal.service import Portal
from muster_server.portal.streams import Streams, add_streams
from muster_server.portal.task_api import add_tasks
from muster_server.portal.transfer_api import add_transfers
from muster_server.portal.transfers import Transfers
from muster_server.portal.webhook_api import add_webhooks
from muster_server.portal.webhook_delivery import telling
from muster_server.portal.webhooks import Webhooks
from muster_server.threads import Threads, use_threads
from muster_server.web import TELEMETRY, body_within, harden, json_response

if TYPE_CHECKING:
    from muster_server.portal.firmware_kit import FirmwareKit
    from muster_server.portal.people import People

BODY_LIMIT_BYTES = 256 * 1024
_AT_ONCE = 40  # requests

Body = Annotated[bytes, Depends(body_within(BODY_LIMIT_BYTES))]


def create_app(
    portal: Portal,
    accepted_hashes: Callable[[], frozenset[str]],
    people: "People | None" = None,
    told: Rules | None = None,
    kit: "FirmwareKit | None" = None,
    *,
    is_telling: bool = True,
    lane: Lane | None = None,
) -> FastAPI:
    """The portal in front of a configuration server. Without people there is the API alone.

    `told` says to which addresses webhooks may lead, besides public ones; `kit` is what boards
    are prepared with. `is_telling`: this process sends webhooks; of several one does. `lane` does
    what a fleet asks most.
    """
    webhooks = None if people is None else Webhooks(people.store, portal, told, people.clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with telling(webhooks if is_telling else None):
            yield

    app = PortalApp(
        title="Muster portal",
        redirect_slashes=False,
        telemetry=TELEMETRY,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    threads = Threads(_AT_ONCE)
    use_threads(app, threads)
    guard = [Depends(door(accepted_hashes, people))]
    described = Description()
    audit = None if people is None else people.audit
    limits = lane or threads, BODY_LIMIT_BYTES, accepted_hashes
    add_claim(app, portal, described, guard, *limits, audit)
    _add_devices(app, portal, guard, described)
    _add_profiles(app, portal, guard, described)
    add_offline(app, portal, guard, described)
    add_reading(app, portal, guard, described)
    add_commanding(app, portal, guard, described)
    add_tasks(app, portal, guard, described)
    add_rollouts(app, portal, guard, described)
    add_overview(app, portal, guard, described)
    streams = Streams(threads)
    add_streams(app, portal, streams, guard, described)
    app.state.stopping = streams.stopping  # whoever runs the app sets it when it shall end
    transfers = None
    if people is not None and webhooks is not None:
        transfers = Transfers(people.store, portal, people.throttle, people.clock)
        add_account(app, people, guard, described)
        add_transfers(app, portal, transfers, guard, described)
        add_webhooks(app, webhooks, guard, described)
    described.complete(app)
    has_pages = transfers is not None
    if people is not None and webhooks is not None and transfers is not None:
        # Late: who has only the API needs none.
        from muster_server.portal.audit import Audit
        from muster_server.portal.pages.routes import add_pages

        add_pages(app, portal, people, streams, people.audit, webhooks, transfers, kit)
        app.add_middleware(Audit, store=people.audit)
    harden(app)
    if has_pages:
        from muster_server.portal.pages.astray import lead_back

        lead_back(app)
    return app


class PortalApp(DirectApp):
    """The portal's app: each answer has what all answers of the portal have, whichever way it
    went, and whatever went wrong.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, by the direct way if there is one."""
        await super().__call__(scope, receive, completing(send))


def _add_devices(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    shown = described.of(views.Device)

    @app.get("/v1/devices", dependencies=guard, **described.of(views.Devices))
    def list_devices(wanted: Annotated[WantedDevices, Query()], owner: Owner) -> Response:
        """Devices in the order of their ids, all of them or those that fit."""
        return json_response(portal.devices(owner, wanted))

    @app.get("/v1/device-counts", dependencies=guard, **described.of(views.DeviceCounts))
    def count_devices(owner: Owner) -> Response:
        """Count the devices: all, and by state, profile, group and tag."""
        return json_response(portal.device_counts(owner))

    @app.get("/v1/devices/{device_id}", dependencies=guard, **shown)
    def show_device(device_id: str, owner: Owner) -> Response:
        """Return the progress of a device, step by step."""
        return json_response(portal.device(device_id, owner))

    changed = described.of(views.Device, bodies.ChangedDevice)

    @app.patch("/v1/devices/{device_id}", dependencies=guard, **changed)
    def change_device(device_id: str, body: Body, caller: Asking) -> Response:
        """Give a device another profile or name; it follows at its next contact."""
        new = read_body(bodies.ChangedDevice, body)
        if new.profile is not None:
            caller.need_profile(new.profile)
        return json_response(portal.change(device_id, new, caller.owner))

    opened = described.of(views.Device, bodies.NewWindow)

    @app.post("/v1/devices/{device_id}/window", dependencies=guard, **opened)
    def open_window(device_id: str, body: Body, owner: Owner) -> Response:
        """Let the label be used again, until then or until the device proves a configuration."""
        until = read_body(bodies.NewWindow, body or b"{}")
        return json_response(portal.open_window(device_id, until, owner))

    @app.delete("/v1/devices/{device_id}/window", dependencies=guard, **shown)
    def close_window(device_id: str, owner: Owner) -> Response:
        """Let the label be used no longer."""
        return json_response(portal.close_window(device_id, owner))

    @app.post(
        "/v1/devices/{device_id}/hand-over",
        dependencies=guard,
        **described.of(views.HandOver),
    )
    def hand_over(device_id: str, owner: Owner) -> Response:
        """Release the device to somebody else, and say what is left to do."""
        return json_response(portal.hand_over(device_id, owner))

    timeline = described.of(views.Timeline)

    @app.get("/v1/devices/{device_id}/timeline", dependencies=guard, **timeline)
    def show_timeline(device_id: str, owner: Owner) -> Response:
        """Return what device, servers and platform saw, with the first cause of a failure."""
        return json_response(portal.timeline(device_id, owner))

    @app.post("/v1/devices/{device_id}/account", dependencies=guard, **shown)
    def replace_account(device_id: str, owner: Owner) -> Response:
        """Give the device a new account, e.g. after platform_conflict."""
        return json_response(portal.new_account(device_id, owner))

    @app.delete("/v1/devices/{device_id}", dependencies=guard, **described.of(status=204))
    def release_device(device_id: str, owner: Owner) -> Response:
        """End the ownership: the device's account is closed."""
        portal.release(device_id, owner)
        return Response(status_code=204)

    many = described.of(views.BulkVerdicts, bodies.NewDevices)

    @app.post("/v1/bulk/devices", dependencies=guard, **many)
    def register_many(body: Body, caller: Asking) -> Response:
        """Step 1 for up to 1,000 devices; what is registered already stays as it is."""
        devices = read_body(bodies.NewDevices, body)
        caller.need_profile(devices.profile)
        return json_response(portal.register_many(devices, caller.owner))

    vendor = described.of(views.VendorVerdicts, bodies.VendorDevices)

    @app.post("/v1/vendor/devices", dependencies=guard, **vendor)
    def register_for_vendor(body: Body) -> Response:
        """Register devices in bulk before they are sold."""
        labels = read_body(bodies.VendorDevices, body)
        return json_response(portal.register_for_vendor(labels))


def _add_profiles(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    shown = described.of(profiles.ShownProfile)
    added = described.of(profiles.ShownProfile, profiles.Profile, 201)
    replaced = described.of(profiles.ShownProfile, profiles.ChangedProfile)

    @app.post("/v1/profiles", dependencies=guard, **added)
    def add_profile(body: Body) -> Response:
        """Keep a new profile."""
        return json_response(portal.add_profile(parse_json(body)), 201)

    @app.get("/v1/profiles", dependencies=guard, **described.of(views.ProfileNames))
    def list_profiles() -> Response:
        """The names of all profiles."""
        return json_response(portal.profiles())

    @app.get("/v1/profiles/{name}", dependencies=guard, **shown)
    def show_profile(name: str) -> Response:
        """A profile without its secrets."""
        return json_response(portal.profile(name))

    @app.put("/v1/profiles/{name}", dependencies=guard, **replaced)
    def replace_profile(name: str, body: Body) -> Response:
        """Change a profile; its devices follow at their next sync."""
        return json_response(portal.replace_profile(name, parse_json(body)))

    @app.delete("/v1/profiles/{name}", dependencies=guard, **described.of(status=204))
    def remove_profile(name: str) -> Response:
        """Forget a profile that no device uses."""
        portal.remove_profile(name)
        return Response(status_code=204)

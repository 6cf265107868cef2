# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's routes: the sync for devices, and an API for the portal."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, Query
from fastapi.responses import Response
from sqlalchemy import Engine

from muster_server.api import bodies
from muster_server.api.queries import WantedDevices
from muster_server.api.reading import read_body
from muster_server.config_server.bulk import BulkService
from muster_server.config_server.bundles import BundleService
from muster_server.config_server.change_routes import add_changes
from muster_server.config_server.command_routes import add_commanding
from muster_server.config_server.commanding import CommandService
from muster_server.config_server.containers import Containers
from muster_server.config_server.device_view import Wanted
from muster_server.config_server.device_ways import add_claim, add_sync
from muster_server.config_server.devices import DeviceService
from muster_server.config_server.events import EventService, add_events
from muster_server.config_server.field_configuration import FieldConfiguration
from muster_server.config_server.figures import Figures
from muster_server.config_server.jobs import Jobs
from muster_server.config_server.later import Later
from muster_server.config_server.limits import Limits, Places
from muster_server.config_server.object_places import Places as ObjectPlaces
from muster_server.config_server.overview import OverviewService
from muster_server.config_server.overview_routes import add_overview
from muster_server.config_server.password_change import PasswordChange
from muster_server.config_server.platform_adapter import Platforms
from muster_server.config_server.presence import Presence
from muster_server.config_server.profile_history import ProfileHistory
from muster_server.config_server.profiles import ProfileService
from muster_server.config_server.readers import ReaderService
from muster_server.config_server.reading_routes import add_reading
from muster_server.config_server.readings import ReadingService
from muster_server.config_server.receipts import ReceiptService
from muster_server.config_server.refusals import Refusals
from muster_server.config_server.rollout_routes import add_rollouts, add_versions
from muster_server.config_server.rollouts import RolloutService
from muster_server.config_server.sync import SyncService
from muster_server.config_server.task_routes import add_tasks
from muster_server.config_server.tasks import TaskService
from muster_server.config_server.timeline import TimelineService
from muster_server.config_server.transfer import TransferService
from muster_server.config_server.transfer_routes import add_transfer
from muster_server.config_server.versions import Versions
from muster_server.config_server.waking import Waking
from muster_server.config_server.worker import Worker
from muster_server.direct import DirectApp
from muster_server.document import parse_json
from muster_server.errors import Unavailable
from muster_server.lane import Lane
from muster_server.store.config import ConfigStore
from muster_server.store.secrets import SecretBox
from muster_server.threads import Threads, use_threads
from muster_server.web import TELEMETRY, bearer, body_within, harden, json_response

log = logging.getLogger(__name__)

# Profiles may carry a JSON Schema; a vendor's list has up to 1000 labels.
API_LIMIT_BYTES = 256 * 1024
_CHORES_EVERY_S = 15.0
_CHORES_AT_ONCE = 2  # jobs after a sync, and the rest
_OWNERS_AT_ONCE = 24  # requests of the portal, beside those of devices

RunJobs = Callable[[], Awaitable[None]]


def create_app(
    engine: Engine,
    box: SecretBox,
    *,
    accepted_hashes: Callable[[], frozenset[str]],
    platforms: Platforms,
    public_url: str,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    expiry: Callable[[], float] | None = None,
    limits: Limits | None = None,
    object_places: ObjectPlaces | None = None,
    lane: Lane | None = None,
) -> FastAPI:
    """The server on a migrated database; StoreError if the box has another key than the
    database. The caller disposes of the engine.

    `accepted_hashes` are the hashes of the tokens that may use the portal's API; `public_url` is
    where devices find this server from their operational network; `expiry` tells by which time
    claims expire, without one `clock` does; `limits` are those of syncs; `object_places` are the
    platforms where devices' management objects are kept; `lane` does what devices ask most.
    """
    store = ConfigStore(engine, box)
    store.check_key()
    versions = Versions(store, platforms, public_url, clock)
    stopping = threading.Event()
    fields = None
    if object_places is not None:
        fields = FieldConfiguration(store, versions, object_places, clock, monotonic, stopping)
    jobs = Jobs(store, platforms, clock, stopping, monotonic, fields)
    devices = DeviceService(store, versions, clock, monotonic, expiry)
    bulk = BulkService(store, clock, expiry)
    transfers = TransferService(store, devices, clock, expiry, monotonic)
    profiles = ProfileService(store, platforms.has_accounts, public_url, clock)
    limits = limits or Limits()
    syncs = SyncService(store, versions, clock, monotonic, expiry, limits)
    places = Places(limits.waiting, syncs.familiar, monotonic)
    bundles = BundleService(store, versions, clock)
    receipts = ReceiptService(store, platforms.has_accounts, clock, monotonic)
    presence = Presence(store, platforms, clock, monotonic, stopping, expiry)
    timelines = TimelineService(store, presence, syncs.refusals, clock)
    readers = ReaderService(store, platforms, clock)
    containers = Containers(store, platforms, readers)
    commands = CommandService(containers, clock)
    tasks = TaskService(store, bulk, clock)
    history = ProfileHistory(store, profiles, versions, clock)
    rollouts = RolloutService(store, versions, devices.views, clock)
    passwords = PasswordChange(store, profiles, clock)
    worker = Worker(store, (tasks, rollouts), clock)
    guard = Depends(bearer(accepted_hashes))
    chores = Threads(_CHORES_AT_ONCE)
    later = Later(jobs, lane or chores, stopping.is_set)
    run_jobs = later.begin

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        housekeeping = asyncio.create_task(
            _keep_house(store, chores, jobs, later, presence, syncs.refusals, fields)
        )
        working = asyncio.create_task(worker.run(Threads(1)))
        waking = asyncio.create_task(Waking(store, lambda: chores.run(jobs.run_told)).run())
        yield
        # Its threads cannot be cancelled, and the process waits for them.
        stopping.set()
        housekeeping.cancel()
        working.cancel()
        waking.cancel()
        await asyncio.gather(housekeeping, working, waking, later.close(), return_exceptions=True)

    app = DirectApp(
        title="Muster configuration server",
        redirect_slashes=False,
        telemetry=TELEMETRY,
        lifespan=lifespan,
        openapi_url=None,  # devices' networks reach this server: it tells strangers nothing
        default_response_class=Response,
    )

    sync_threads = lane or Threads(limits.at_once)
    app.state.figures = Figures(store, lambda: sync_threads.waiting)
    use_threads(app, owners_threads := Threads(_OWNERS_AT_ONCE))
    claim_threads = lane or owners_threads
    add_sync(app, syncs, sync_threads, places, run_jobs, lambda: later.is_wanted)
    add_claim(app, devices, claim_threads, API_LIMIT_BYTES, accepted_hashes, guard)
    _add_profiles(app, profiles, guard)
    _add_devices(app, devices, bulk, presence, timelines, run_jobs, guard)
    _add_bundles(app, bundles, receipts, run_jobs, guard)
    add_reading(app, ReadingService(containers), readers, guard)
    add_commanding(app, commands, guard)
    add_tasks(app, tasks, guard)
    if fields is not None:
        add_changes(app, fields, chores)
    add_versions(app, history, passwords, guard)
    add_rollouts(app, rollouts, guard)
    add_overview(app, OverviewService(store, clock, devices.views.counted), guard)
    add_events(app, EventService(store), guard)
    add_transfer(app, transfers, run_jobs, guard)
    return harden(app)


async def _keep_house(
    store: ConfigStore,
    threads: Threads,
    jobs: Jobs,
    later: Later,
    presence: Presence,
    refusals: Refusals,
    fields: FieldConfiguration | None,
) -> None:
    def alone(what: str, do: Callable[[], None]) -> None:
        with store.alone(what) as is_mine:
            if is_mine:
                do()

    while True:
        try:
            await threads.run(alone, "expired", presence.end_expired)
            await threads.run(refusals.write_down)
            await threads.run(jobs.run_due)
            await later.begin()  # with what else is due
            if fields is not None:
                await threads.run(alone, "fields", fields.listen)
        except Unavailable as error:
            log.warning("housekeeping goes on in %d s: %s", _CHORES_EVERY_S, error)
        except Exception:
            # The last catch-all of this task: it must live as long as the server.
            log.exception("housekeeping failed; it goes on in %d s", _CHORES_EVERY_S)
        await asyncio.sleep(_CHORES_EVERY_S)


Body = Annotated[bytes, Depends(body_within(API_LIMIT_BYTES))]


def _add_profiles(app: FastAPI, profiles: ProfileService, guard: Any) -> None:
    @app.post("/v1/profiles", dependencies=[guard])
    def add(body: Body) -> Response:
        return json_response(profiles.add(parse_json(body)), 201)

    @app.get("/v1/profiles", dependencies=[guard])
    def names() -> Response:
        return json_response({"profiles": profiles.names()})

    @app.get("/v1/profiles/{name}", dependencies=[guard])
    def show(name: str) -> Response:
        return json_response(profiles.shown(name))

    @app.put("/v1/profiles/{name}", dependencies=[guard])
    def replace(name: str, body: Body) -> Response:
        return json_response(profiles.replace(name, parse_json(body)))

    @app.delete("/v1/profiles/{name}", dependencies=[guard])
    def remove(name: str) -> Response:
        profiles.remove(name)
        return Response(status_code=204)


def _add_devices(
    app: FastAPI,
    devices: DeviceService,
    bulk: BulkService,
    presence: Presence,
    timelines: TimelineService,
    run_jobs: RunJobs,
    guard: Any,
) -> None:
    @app.get("/v1/devices", dependencies=[guard])
    def show_some(owner: str, wanted: Annotated[WantedDevices, Query()]) -> Response:
        return json_response(devices.views.page(owner, Wanted(**wanted.model_dump())))

    @app.get("/v1/device-counts", dependencies=[guard])
    def count(owner: str) -> Response:
        return json_response(devices.views.counts(owner))

    @app.get("/v1/device-groups", dependencies=[guard])
    def groups(owner: str) -> Response:
        return json_response(devices.views.groups(owner))

    @app.get("/v1/devices/{device_id}", dependencies=[guard])
    def show(device_id: str, owner: str) -> Response:
        presence.look(device_id, owner)
        return json_response(devices.shown(device_id, owner))

    @app.get("/v1/devices/{device_id}/timeline", dependencies=[guard])
    def timeline(device_id: str, owner: str) -> Response:
        return json_response(timelines.joined(device_id, owner))

    @app.post("/v1/devices/{device_id}/account", dependencies=[guard])
    def new_account(device_id: str, owner: str) -> Response:
        return json_response(devices.new_account(device_id, owner))

    @app.patch("/v1/devices/{device_id}", dependencies=[guard])
    def change(device_id: str, owner: str, body: Body) -> Response:
        new = read_body(bodies.ChangedDevice, body)
        return json_response(devices.change(device_id, owner, **new.model_dump()))

    @app.post("/v1/devices/{device_id}/window", dependencies=[guard])
    def open_window(device_id: str, owner: str, body: Body) -> Response:
        until = read_body(bodies.NewWindow, body or b"{}").until
        return json_response(devices.open_window(device_id, owner, until))

    @app.delete("/v1/devices/{device_id}/window", dependencies=[guard])
    def close_window(device_id: str, owner: str) -> Response:
        return json_response(devices.close_window(device_id, owner))

    @app.delete("/v1/devices/{device_id}", dependencies=[guard])
    def release(device_id: str, owner: str) -> Response:
        devices.release(device_id, owner)
        return Response(status_code=204)

    @app.post("/v1/devices/{device_id}/hand-over", dependencies=[guard])
    def hand_over(device_id: str, owner: str, later: BackgroundTasks) -> Response:
        later.add_task(run_jobs)  # its account is closed now, not with the next chores
        return json_response(devices.hand_over(device_id, owner), background=later)

    @app.post("/v1/bulk/devices", dependencies=[guard])
    def register_many(body: Body, owner: str) -> Response:
        new = read_body(bodies.NewDevices, body)
        rows = [(device.label, device.name) for device in new.devices]
        return json_response({"devices": bulk.register(rows, new.profile, owner, new.trial)})

    @app.post("/v1/vendor/devices", dependencies=[guard])
    def register_for_vendor(body: Body) -> Response:
        labels = read_body(bodies.VendorDevices, body).labels
        return json_response({"devices": devices.register_for_vendor(labels)})


def _add_bundles(
    app: FastAPI, bundles: BundleService, receipts: ReceiptService, run_jobs: RunJobs, guard: Any
) -> None:
    @app.post("/v1/devices/{device_id}/bundles", dependencies=[guard])
    def make(device_id: str, owner: str, body: Body) -> Response:
        wanted = read_body(bodies.NewBundle, body)
        made = bundles.make(
            device_id, owner, wanted.life_s, wanted.above, without_wifi=wanted.without_wifi
        )
        return json_response(made, 201)

    @app.get("/v1/devices/{device_id}/bundles", dependencies=[guard])
    def show(device_id: str, owner: str) -> Response:
        return json_response({"bundles": bundles.all_shown(device_id, owner)})

    # Not a GET: it is written down that somebody was given the bundle.
    @app.post("/v1/devices/{device_id}/bundle", dependencies=[guard])
    def hand_out(device_id: str, owner: str) -> Response:
        text, shown = bundles.hand_out(device_id, owner)
        return json_response({"text": text, **shown})

    @app.post("/v1/bundles/check", dependencies=[guard])
    def check_bundle(owner: str, body: Body) -> Response:
        text = read_body(bodies.BundleText, body).bundle
        return json_response(bundles.check(text, owner))

    @app.post("/v1/devices/{device_id}/receipts", dependencies=[guard])
    def check_receipt(device_id: str, owner: str, body: Body, later: BackgroundTasks) -> Response:
        typed = read_body(bodies.TypedReceipt, body).receipt
        shown = receipts.check(device_id, owner, typed)
        later.add_task(run_jobs)
        return json_response(shown, background=later)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure lists of devices, roll-outs and tasks, and syncs beside them, as a fleet grows.

The devices are copies of a few that have onboarded, written straight into the database.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from muster_server.config_server.device_view import Wanted
from muster_server.config_server.overview import OverviewService
from muster_server.store.config import ConfigStore
from muster_server.store.config_tables import HEAD
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.rollouts import Rollout
from muster_server.store.secrets import SecretBox
from muster_server.store.tasks import Task, TaskRow
from tests.bench.copies import copy_devices, device_id
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field

SIZES = (1_000, 100_000)
_MODELS = 20  # devices that are copied
_REPEATS = 20
_GROUPS = 50
_LOT = 5000
_BOX = SecretBox(bytes(32))


class Grown:
    """A configuration server's rules on a database with so many devices."""

    def __init__(self, folder: Path, devices: int) -> None:
        self.engine: Engine = open_engine(database_url(folder, "config"))
        migrate(self.engine, "muster_server.config_server", HEAD)
        self.place = Field(engine=self.engine, store=ConfigStore(self.engine, _BOX))
        self.place.profiles.add(PROFILE)
        self.models: list[Device] = [self.place.registered() for _ in range(_MODELS)]
        for model in self.models[1:]:
            model.onboard()
        copy_devices(self.place.store, [model.id for model in self.models], devices)
        self._sort(devices)
        self.task_id = self._task(devices)
        self.rollout_id = self._rollout()
        with sqlite3.connect(folder / "config.sqlite") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def _sort(self, devices: int) -> None:
        """Put each into one of fifty groups, and give some of them tags."""
        for start in range(0, devices, _LOT):
            with self.place.store.transaction() as records:
                for n in range(start, min(devices, start + _LOT)):
                    records.groups.put_group(OWNER, device_id(n), f"hall {n % _GROUPS}")
                    tags = [tag for tag, every in (("spare", 7), ("rare", 500)) if n % every == 0]
                    records.groups.add_tags(OWNER, device_id(n), tags)

    def _task(self, devices: int) -> str:
        """Write down a task that is over, with a row for each device."""
        now = self.place.clock()
        task = Task("a" * 16, OWNER, "change", "done", {}, "ada", now, now, devices)
        with self.place.store.transaction() as records:
            records.tasks.put(task)
            verdicts = ("changed", "refused")
            records.tasks.add_rows(
                task.id,
                (
                    TaskRow(n + 1, 2, device_id(n), "", verdict=verdicts[n % 100 == 0])
                    for n in range(devices)
                ),
            )
        return task.id

    def _rollout(self) -> str:
        """Begin one of a second version to all devices, whose first wave has been offered."""
        self.place.history.draft(PROFILE["name"], {**PROFILE, "country": "AT"})
        waves = ({"percent": 1}, {"percent": 20})
        begun = self.place.rollouts.begin(PROFILE["name"], 2, OWNER, waves, "ada")
        self.place.rollouts.step(lambda records: True)
        return str(begun["id"])


def _median_ms(do: Callable[[int], Any]) -> float:
    """The time that this thread computes for it: others on the machine do not count."""
    times = []
    for n in range(_REPEATS):
        began = time.thread_time()
        do(n)
        times.append(time.thread_time() - began)
    return sorted(times)[len(times) // 2] * 1000


def _deeds(grown: Grown, devices: int) -> dict[str, Callable[[int], Any]]:
    place, step = grown.place, max(1, devices // _REPEATS)
    views, silent_since = place.devices.views, place.clock() - 1
    overview = OverviewService(place.store, place.clock)
    name = PROFILE["name"]

    def page(**wanted: Any) -> Callable[[int], Any]:
        return lambda n: views.page(OWNER, Wanted(after=device_id(n * step), **wanted))

    def sync(n: int) -> None:
        place.clock.pass_s(60)
        grown.models[1 + n % (_MODELS - 1)].sync("1", state="committed")

    def offering(n: int) -> None:
        """The worker's step that offers it to some more; the devices were copied a minute ago."""
        place.clock.pass_s(0 if n else 60)
        place.rollouts.step(lambda records: True)

    def offered(n: int) -> None:
        """The worker's step once the roll-out has been offered to all."""
        if n == 0:
            with place.store.transaction() as records:
                rollout = records.rollouts.one(grown.rollout_id, OWNER)
                while rollout and (found := records.rollouts.to_offer(_last(rollout), _LOT)):
                    members = [replace(m, state="offered", seen_at=place.clock()) for m in found]
                    records.rollouts.change_members(rollout.id, members)
        place.clock.pass_s(1)
        place.rollouts.step(lambda records: True)

    def news(n: int) -> None:
        """A look through all of them."""
        with place.store.reading() as records:
            rollout = records.rollouts.one(grown.rollout_id, OWNER)
            if rollout is not None:
                records.rollouts.with_news(rollout, 50)

    return {
        "page": page(),
        "page_of_state": page(state="prepared"),
        "page_of_code": page(attempt="wifi_auth"),
        "page_of_search": page(search="device 99"),
        "page_of_silent": page(silent_since=silent_since),
        "page_of_waiting": page(waiting_for="platform"),
        "page_of_group": page(group="hall 7"),
        "page_of_tag": page(tag="spare"),
        "page_of_rare_tag": page(tag="rare"),
        "page_of_profile": page(profile=name),
        "page_behind": page(profile=name, behind=True),
        "page_behind_none": lambda n: views.page(
            OWNER, Wanted(profile=name, behind=True, group="hall 1")
        ),
        "page_by_name": lambda n: views.page(OWNER, Wanted(sort="name")),
        "page_by_heard": lambda n: views.page(OWNER, Wanted(sort="heard")),
        "profile_versions": lambda n: place.history.listed(name, OWNER),
        "passwords": lambda n: place.passwords.shown(name, OWNER),
        "rollout": lambda n: place.rollouts.shown(grown.rollout_id, OWNER),
        "rollout_devices": lambda n: place.rollouts.devices(
            grown.rollout_id, OWNER, None, device_id(n * step), 50
        ),
        "rollout_failed": lambda n: place.rollouts.devices(
            grown.rollout_id, OWNER, "failed", "", 50
        ),
        "rollout_step": offering,
        "task": lambda n: place.tasks.shown(grown.task_id, OWNER),
        "task_rows": lambda n: place.tasks.rows(grown.task_id, OWNER, n * step, 100, None),
        "task_refused": lambda n: place.tasks.rows(grown.task_id, OWNER, n * step, 100, "refused"),
        "counts": lambda n: views.counts(OWNER),
        "look": lambda n: views.one(device_id(n * step), OWNER),
        "overview": lambda n: overview.of(OWNER),
        "sync": sync,
        "rollout_offered": offered,
        "rollout_news": news,
    }


def _last(rollout: Rollout) -> Rollout:
    return replace(rollout, wave=len(rollout.waves))


def measure(sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Return the median of each question, and of syncs, for each size, in ms."""
    found: dict[str, float] = {}
    for devices in sizes:
        with tempfile.TemporaryDirectory() as name:
            grown = Grown(Path(name), devices)
            for what, do in _deeds(grown, devices).items():
                found[f"fleet.{what}_{devices}_ms"] = _median_ms(do)
            grown.engine.dispose()
    return found


if __name__ == "__main__":
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    for name, value in measure(sizes).items():
        print(f"{name:<40}{value:>10.2f}")

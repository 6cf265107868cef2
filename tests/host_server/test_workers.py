# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do several processes share the work, and does it go on when one dies?"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
import requests

from muster_server.portal.throttle import FREE_TRIES
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.sql import Sql
from tests import secrecy
from tests.host_server.config_server.field import PROFILE
from tests.host_server.portal.pages.site import Person
from tests.host_server.processes import ANY_PORT, QUIET, Servers, run_serve, start
from tests.postgres import Postgres

_PATIENCE_S = 30
_DEVICES = 12


@dataclass
class Town:
    """Servers in several processes, and what a fleet needs to go there."""

    servers: Servers
    store: str
    folder: Path

    def workers(self) -> list[int]:
        """The ids of the processes that run now, without the first."""
        pid = self.servers.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in children]

    def fleet(self, command: str, *words: str) -> int:
        """Run `muster-fleet`; its exit code."""
        urls = self.servers.urls
        portal = ("--portal", urls["portal"], "--token-file", str(self.folder / "token"))
        ledger = ("--ledger", str(self.folder / "ledger"))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "muster_harness.fleet", command, *words, *ledger),
                *("--server", urls["config"], "--clients", "4"),
                *(() if command == "sync" else portal),
            ],
            stdout=subprocess.DEVNULL,
            timeout=4 * _PATIENCE_S,
            check=False,
        )
        return done.returncode

    def value(self, text: str) -> object:
        """Ask the configuration server's database."""
        engine = open_engine(database_url(self.folder, "config", self.store))
        try:
            with Database(engine).reading() as connection:
                return Sql(connection).value(text)
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def town(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder, store = tmp_path_factory.mktemp("workers"), postgres.database()
    options = (*ANY_PORT, *QUIET, "--platform-listen", "127.0.0.1:0", "--operations-listen")
    servers = start(
        *(folder / "data", *options, "127.0.0.1:0", "--store", store, "--workers", "2"),
        *("--admin-token-file", str(folder / "token")),
    )
    try:
        town = Town(servers, store, folder)
        token = (folder / "token").read_text().strip()
        secrecy.hide(token)
        platform = PROFILE["platform"] | {"url": servers.urls["platform"]}
        made = requests.post(
            servers.urls["portal"] + "/v1/profiles",
            json=PROFILE | {"platform": platform},
            headers={"Authorization": f"Bearer {token}"},
            timeout=_PATIENCE_S,
        )
        assert made.status_code == 201
        yield town
    finally:
        code, _, said = servers.stop()
    assert (code, "Traceback" in said) == (0, False), said


def soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while not (found := is_so()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_each_device_is_onboarded_and_each_job_done_by_whichever_process(town: Town) -> None:
    assert town.fleet("onboard", "--profile", "press", "--devices", str(_DEVICES)) == 0
    assert town.fleet("check") == 0
    assert soon(lambda: town.value("SELECT count(*) FROM chore") == 0)
    # A job that ran twice would have been counted, or written down again.
    put_off = "SELECT count(*) FROM history WHERE what = 'describe_put_off'"
    assert town.value(put_off) == 0


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    ("role", "path", "status"), [("portal", "/sign-in", 200), ("platform", "/cse-in", 401)]
)
def test_every_role_answers_while_a_worker_does_nothing(
    town: Town, which: int, role: str, path: str, status: int
) -> None:
    stopped = town.workers()[which]
    os.kill(stopped, signal.SIGSTOP)
    try:
        answer = requests.get(town.servers.urls[role] + path, timeout=_PATIENCE_S)
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert answer.status_code == status


def test_guesses_at_all_workers_count_together(town: Town) -> None:
    statuses = [
        Person(town.servers.urls["portal"])  # with connections of its own
        .post("/sign-in", name="nobody", password=f"guess number {n}")
        .status_code
        for n in range(FREE_TRIES + 1)
    ]
    assert statuses == [401] * FREE_TRIES + [429]


@pytest.mark.parametrize("which", [0, 1])
def test_killed_process_loses_nothing_and_is_started_again(town: Town, which: int) -> None:
    (town.folder / "ledger").unlink(missing_ok=True)
    before = town.workers()
    assert len(before) == 2
    codes: list[int] = []
    first = str(1000 * (which + 1))
    words = ("onboard", "--profile", "press", "--devices", str(_DEVICES), "--first", first)
    load = Thread(target=lambda: codes.append(town.fleet(*words)))
    load.start()
    assert soon(lambda: (town.folder / "ledger").exists())
    os.kill(before[which], signal.SIGKILL)
    load.join(2 * _PATIENCE_S)
    assert codes == [0]
    assert town.fleet("check") == 0
    assert soon(lambda: len(town.workers()) == 2)
    assert set(town.workers()) != set(before)


def test_workers_end_with_the_first_process(postgres: Postgres, tmp_path: Path) -> None:
    options = (*ANY_PORT, *QUIET, "--role", "config", "--store", postgres.database())
    public = ("--platform-public-url", "http://127.0.0.1:8422")
    servers = start(tmp_path / "data", *options, *public, "--workers", "2", ready=1)
    workers = Town(servers, "", tmp_path).workers()
    servers.process.kill()
    servers.process.communicate(timeout=_PATIENCE_S)
    assert soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_several_processes_on_sqlite_are_refused_in_words(tmp_path: Path) -> None:
    done = run_serve("--data", str(tmp_path / "data"), *ANY_PORT, *QUIET, "--workers", "2")
    assert done.returncode != 0
    assert "several need PostgreSQL" in done.stderr

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a fleet moved to PostgreSQL while its devices onboard, and none of them lost?"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.bench.fleet import TOKEN, Servers, add_profile, started
from tests.postgres import Postgres
from tests.torture.kills import free_ports, lost

_AT_ONCE = 12
_PATIENCE_S = 60


def muster(*words: str, store: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "muster_server", *words],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        env={"PATH": os.environ["PATH"], "MUSTER_STORE": store},
        check=False,
    )


class Load:
    """Devices that onboard, a few at a time, until it is enough; then the last ones arrive."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self._servers = servers
        self._folder = folder
        self._enough = threading.Event()
        self.codes: list[int] = []
        self._thread = threading.Thread(target=self._onboard)
        self._thread.start()

    def _onboard(self) -> None:
        while not self._enough.is_set():
            n = len(self.codes)
            words = (
                *("onboard", "--profile", "fleet", "--clients", "4", "--deadline", "60"),
                *("--devices", str(_AT_ONCE), "--first", str(n * _AT_ONCE)),
                *("--ledger", str(self._folder / f"ledger-{n}")),
            )
            done = subprocess.run(
                self._servers.command(*words),
                stdout=subprocess.DEVNULL,
                timeout=2 * _PATIENCE_S,
                check=False,
            )
            self.codes.append(done.returncode)

    def has_begun(self) -> bool:
        return bool(self.codes)

    def end(self) -> None:
        self._enough.set()
        self._thread.join()

    def ledger(self) -> Path:
        """One ledger of all that was acknowledged."""
        whole = self._folder / "ledger"
        parts = (self._folder / f"ledger-{n}" for n in range(len(self.codes)))
        whole.write_text("".join(part.read_text() for part in parts))
        return whole


def test_fleet_moves_while_its_devices_onboard_and_none_is_lost(
    tmp_path: Path, postgres: Postgres
) -> None:
    token, ports, store = tmp_path / "token", free_ports(), postgres.database()
    token.touch(0o600)
    token.write_text(TOKEN)
    load = None
    try:
        with started(tmp_path, token, ports) as servers:
            add_profile(servers)
            load = Load(servers, tmp_path)
            deadline = time.monotonic() + _PATIENCE_S
            while not load.has_begun() and time.monotonic() < deadline:
                time.sleep(0.02)
            moved = muster("store", "copy", str(tmp_path / "data"), store=store)
            assert moved.returncode == 0, moved.stderr
            assert "moved and compared, row by row" in moved.stdout
        before = len(load.codes)
        with started(tmp_path, token, ports, ("--store", store)) as servers:
            load.end()  # those who were refused when it moved, or came since
            assert len(load.codes) > before > 0
            assert set(load.codes) == {0}
            assert lost(servers, load.ledger()) == []
    finally:
        if load is not None:
            load.end()


def test_password_on_the_command_line_and_no_store_at_all_are_refused(tmp_path: Path) -> None:
    shown = muster("store", "copy", str(tmp_path), "postgresql://m:hunter2@db/muster")
    assert shown.returncode == 2
    assert "every user of this machine" in shown.stderr and "hunter2" not in shown.stderr
    assert "name the store" in muster("store", "copy", str(tmp_path)).stderr


def test_folder_that_has_not_moved_is_said_to_be_one(tmp_path: Path) -> None:
    shown = muster("store", "reopen", str(tmp_path))
    assert (shown.returncode, shown.stdout) == (0, f"{tmp_path} has not moved\n")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the ledger give back what was acknowledged, and say what came double?"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from muster_harness.deploy.labels import new_label
from muster_harness.errors import HarnessError
from muster_harness.fleet.check import Check
from muster_harness.fleet.device import FleetDevice
from muster_harness.fleet.ledger import CLAIMED, CONFIRMED, FETCHED, Ledger, read_ledger
from muster_harness.fleet.link import Links


def config(version: int, originator: str = "Cmuster1") -> dict[str, Any]:
    return {"version": version, "platform": {"originator": originator}}


def test_what_was_noted_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    device = FleetDevice(new_label(), 7)
    with Ledger(path) as ledger:
        ledger.note(device, CLAIMED)
        device.config, device.echo = config(3), "nonce"
        ledger.note(device, FETCHED)
        ledger.note(device, CONFIRMED)
    assert path.stat().st_mode & 0o077 == 0
    (entry,) = read_ledger(path)
    assert entry.device.label == device.label
    assert (entry.device.committed, entry.device.echo) == (3, "nonce")
    assert entry.what == (CLAIMED, FETCHED, CONFIRMED) and entry.doubled == ()


def test_lines_are_written_before_another_answer_is_heard(tmp_path: Path) -> None:
    path, device = tmp_path / "ledger", FleetDevice(new_label(), 1)

    async def run() -> int:
        with Ledger(path, asyncio.get_running_loop().call_soon) as ledger:
            for _ in range(3):
                ledger.note(device, CLAIMED)
            await asyncio.sleep(0)
            return path.read_text().count("\n")

    assert asyncio.run(run()) == 3


def test_ledger_that_cannot_be_written_ends_the_run() -> None:
    ledger, device = Ledger(Path("/dev/full")), FleetDevice(new_label(), 1)
    ledger.note(device, CLAIMED)
    ledger.flush()
    with pytest.raises(HarnessError, match="not whole"):
        ledger.note(device, CLAIMED)
    with pytest.raises(HarnessError, match="not whole"):
        ledger.close()


def test_line_that_was_cut_off_is_passed_over_and_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with Ledger(path) as ledger:
        ledger.note(FleetDevice(new_label(), 1), CLAIMED)
    path.write_text(path.read_text() + '{"n":2,"wh')
    assert len(read_ledger(path)) == 1
    path.write_text("something else\n")
    with pytest.raises(HarnessError, match="no ledger"):
        read_ledger(path)
    with pytest.raises(HarnessError, match="name the ledger"):
        read_ledger(tmp_path / "nowhere")


def test_version_with_two_contents_and_account_of_two_devices_are_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with Ledger(path) as ledger:
        for number in (1, 2):
            device = FleetDevice(new_label(), number)
            ledger.note(device, CLAIMED)
            device.config = config(1)
            ledger.note(device, FETCHED)
        device.config = config(1) | {"app": {"changed": True}}
        ledger.note(device, FETCHED)
    entries = read_ledger(path)
    assert [entry.doubled for entry in entries] == [(), ("version 1 came with two contents",)]
    look = Check(entries, Links("http://127.0.0.1:1"), "token", "http://127.0.0.1:1")
    assert look.doubled_accounts() == ["devices [1, 2] share an account"]

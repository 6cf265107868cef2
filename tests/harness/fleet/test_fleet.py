# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a fleet do the real exchange with real servers, and notice what they have lost?"""

import re
import subprocess
from pathlib import Path

import pytest

from muster_harness.fleet import cli
from muster_harness.fleet.ledger import read_ledger
from tests.bench.fleet import servers


def test_fleet_onboards_checks_in_and_notices_a_loss(tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger")
    with servers() as running:
        found = running.fleet(
            *("onboard", "--profile", "fleet", "--devices", "3", "--clients", "3"),
            *("--readings", "2", "--ledger", ledger),
        )
        assert (found["done"], found["given_up"], found["refusals"]) == (3, 0, {})
        assert set(found["times"]) == {
            *("claim", "fetch", "register", "confirm", "readings", "onboarding"),
        }
        assert found["server_cpu_ms_each"] > 0 and found["generator_cpu_ms_each"] > 0
        shown = running.ask("GET", "/v1/devices?state=registered").json()["devices"]
        assert len(shown) == 3
        assert running.fleet("sync", "--ledger", ledger)["done"] == 3
        found = running.fleet("check", "--ledger", ledger, "--processes", "2")
        assert (found["done"], found["devices"]) == (3, 3)

        lost = read_ledger(Path(ledger))[0].device.label.device_id
        running.ask("DELETE", f"/v1/devices/{lost}")
        with pytest.raises(subprocess.CalledProcessError) as caught:
            running.fleet("check", "--ledger", ledger)
        assert f"LOST: {lost}: its claim is gone" in caught.value.stdout
        # The claim; and its AE, once the platform has been told.
        assert re.search(r"[12] acknowledgements lost", caught.value.stdout)


def test_what_cannot_be_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["sync", "--ledger", str(tmp_path / "none")]) == 1
    said = capsys.readouterr().err
    assert "name the ledger of a run" in said and "Traceback" not in said


def test_processes_share_devices_and_ledger(tmp_path: Path) -> None:
    ledger, token = tmp_path / "ledger", tmp_path / "token"
    with servers() as running:
        found = running.fleet(
            *("onboard", "--profile", "fleet", "--devices", "5", "--first", "7"),
            *("--processes", "2", "--ledger", str(ledger)),
        )
    assert (found["devices"], found["done"], found["times"]["claim"]["count"]) == (5, 5, 5)
    entries = read_ledger(ledger)
    assert sorted(entry.device.number for entry in entries) == [7, 8, 9, 10, 11]
    assert all(len(entry.what) == 4 for entry in entries)

    token.write_text("two\nlines")
    words = ["check", "--ledger", str(ledger), "--token-file", str(token), "--processes", "2"]
    assert cli.main(words) == 1


def test_server_that_is_not_there_ends_as_given_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("nobody takes this token")
    words = ["--portal", "http://127.0.0.1:1", "--token-file", str(token), "--deadline", "0.4"]
    assert cli.main(["onboard", "--profile", "p", "--devices", "2", *words]) == 1
    said = capsys.readouterr().out
    assert "2 gave up" in said and "claim: ConnectionRefusedError" in said
    assert "do the servers run?" in said

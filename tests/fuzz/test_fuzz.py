# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A little of the fuzzing, and every input that has ever found something.

In processes of their own: a deadline is an alarm, which pytest has taken.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fuzz import device
from tests.fuzz.device import PARSERS
from tests.fuzz.instrument import noted_copy
from tests.fuzz.result import ROOT
from tests.fuzz.servers.run import TARGETS

_LIMIT_S = 280  # a few seconds where nothing else runs
_FOR_SERVERS = 30
_FOR_DEVICE = 300


@pytest.mark.timeout(300)
def test_hostile_input_does_no_harm_to_the_device(tmp_path: Path) -> None:
    played = _played(list(PARSERS), _FOR_DEVICE, tmp_path)
    assert all(played[name]["blocks"] > 0 for name in PARSERS)


@pytest.mark.timeout(300)
def test_hostile_input_does_no_harm_to_the_servers(tmp_path: Path) -> None:
    _played(list(TARGETS), _FOR_SERVERS, tmp_path)


@pytest.mark.parametrize(
    ("name", "file", "right", "wrong"),
    [
        ("dnssd", "dnssd.py", "except IndexError", "except KeyError"),
        ("http_answer", "retry_after.py", "max(0, min(", "max(-9, min("),
        ("directive", "directive.py", "int, _EARLIEST, _LATEST", "int, _EARLIEST"),
    ],
)
def test_a_planted_mistake_is_found(
    name: str, file: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        blocks = noted_copy(Path(directory) / "firmware")
        module = Path(directory) / "firmware/muster" / file
        assert right in module.read_text()
        module.write_text(module.read_text().replace(right, wrong))
        holder = SimpleNamespace(name=directory)
        monkeypatch.setattr(device, "_prepared", lambda: (holder, blocks))
        assert device.run(name, 1, 600, None).findings


def _played(names: list[str], inputs: int, tmp_path: Path) -> dict[str, Any]:
    file = tmp_path / "fuzz.json"
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", str(inputs), "--json", str(file)]
    for name in names:
        command += ["--only", name]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    played: dict[str, Any] = json.loads(file.read_text())["fuzz"]
    assert all(played[name]["inputs"] >= inputs for name in names)
    return played

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A little of the fuzzing, and every input that has ever found something.

In processes of their own: a deadline is an alarm, which pytest has taken.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.fuzz.result import ROOT
from tests.fuzz.servers.run import TARGETS

_LIMIT_S = 110
_INPUTS = 30


def test_hostile_input_does_no_harm_to_the_servers(tmp_path: Path) -> None:
    file = tmp_path / "fuzz.json"
    command = [sys.executable, "-m", "tests.fuzz", "--inputs", str(_INPUTS), "--json", str(file)]
    for name in TARGETS:
        command += ["--only", name]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    played = json.loads(file.read_text())["fuzz"]
    assert all(played[name]["inputs"] >= _INPUTS for name in TARGETS)

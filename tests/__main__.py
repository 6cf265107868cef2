# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make test`: the whole suite in parts, four at a time.

Boards, radios and servers wait about as much as they compute, so four share two cores well. Each
part is a process that gathers its own output and searches it for its own secrets at its end. For a
single test, pytest itself: `.venv/bin/python -m pytest tests/system -k nine`.
"""

import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests import surroundings
from tests.programs import __main__ as programs

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SEARCH = "tests/test_no_secret_in_output.py"
# The longest first. What lies below a path and stands in a part of its own is left to that part.
PARTS = {
    "stories": ["tests/system"],
    "homecoming": ["tests/system/test_coming_home.py"],
    "bundles": [
        "tests/system/test_setup_network.py",
        "tests/system/test_setup_page.py",
        "tests/system/test_carried_by_hand.py",
        "tests/system/test_bundle_over_serial.py",
        "tests/system/test_offline_flow.py",
    ],
    "outcomes": [
        "tests/system/test_outcomes.py",
        "tests/system/test_stranding.py",
        "tests/system/test_edges.py",
    ],
    "harness": ["tests/harness", "tests/hil"],
    "contract": [
        "tests/harness/test_contract.py",
        "tests/harness/test_units.py",
        "tests/harness/test_plugin.py",
        "tests/harness/test_examples.py",
        "tests/harness/test_transfer.py",
        "tests/harness/test_cli.py",
    ],
    "boards": [
        "tests/harness/test_hil_rehearsal.py",
        "tests/harness/test_flash_command.py",
        "tests/harness/test_mpremote.py",
    ],
    "platforms": [
        "tests/system/test_tls.py",
        "tests/system/test_acme.py",
        "tests/system/test_hostile_air.py",
    ],
    "exhaustion": ["tests/torture", "tests/soak", "tests/fuzz"],
    "servers": ["tests/host_server"],
    "rest": ["tests"],
}
_AT_ONCE = 4
_LIMIT_S = 3600
_LOOK_S = 0.5


def command(name: str) -> list[str]:
    own = PARTS[name]
    others = [path for other, paths in PARTS.items() if other != name for path in paths]
    left_out = [f"--ignore={o}" for o in others if any(o.startswith(p + "/") for p in own)]
    return [sys.executable, "-m", "pytest", "--durations=8", *own, *left_out, SEARCH]


def main() -> int:
    BUILD.mkdir(exist_ok=True)
    programs.fetch()
    begin = time.monotonic()
    waiting = list(PARTS)
    running: dict[str, subprocess.Popen[bytes]] = {}
    failed = []
    try:
        while (waiting or running) and time.monotonic() - begin < _LIMIT_S:
            while waiting and len(running) < _AT_ONCE:
                name = waiting.pop(0)
                running[name] = _start(name)
            for name in [name for name, part in running.items() if part.poll() is not None]:
                if running.pop(name).returncode:
                    failed.append(name)
                _show(name, time.monotonic() - begin)
            _progress(running, time.monotonic() - begin)
            time.sleep(_LOOK_S)
        failed += [*running, *waiting]
        for name in running:
            _show(name, _LIMIT_S)
    finally:
        for part in running.values():
            part.kill()
            part.wait()
    print("failed: " + ", ".join(failed) if failed else "all passed", flush=True)
    return 1 if failed else 0


def _start(name: str) -> subprocess.Popen[bytes]:
    environment = surroundings.kept() | {surroundings.OUTPUT_NAME: f"test-output-{name}.log"}
    with _said(name).open("wb") as file:
        return subprocess.Popen(
            command(name), stdout=file, stderr=subprocess.STDOUT, cwd=ROOT, env=environment
        )


def _said(name: str) -> Path:
    return BUILD / f"test-{name}.txt"


def _show(name: str, after_s: float) -> None:
    print(f"\r\n=== {name}, after {after_s:.0f} s\n", flush=True)
    sys.stdout.write(_said(name).read_text(errors="replace"))
    sys.stdout.flush()


def _progress(names: Iterable[str], after_s: float) -> None:
    """One line on a terminal, written over: how far each group has come."""
    if not sys.stdout.isatty():
        return
    shares = []
    for name in names:
        text = _said(name).read_text(errors="replace")
        percent = [word for word in text.split() if word.endswith("%]")]
        shares.append(f"{name} {percent[-1].rstrip(']') if percent else '0%'}")
    print(f"\r{after_s:4.0f} s  {'  '.join(shares):<60}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())

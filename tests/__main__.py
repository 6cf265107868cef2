# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make test`: the whole suite in two processes at once.

The stories under tests/system mostly wait, for radios, servers and boards; the rest mostly
computes. Each process gathers its own output and searches it for its own secrets at its end. For a
single test, pytest itself: `.venv/bin/python -m pytest tests/system -k nine`.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SEARCH = "tests/test_no_secret_in_output.py"
# One of the stories goes with the rest, so that both take about as long.
LIGHTER = "tests/system/test_living_with_it.py"
STORIES = ["tests/system", f"--ignore={LIGHTER}", SEARCH]
REST = ["tests", "--ignore-glob=tests/system/test_[!l]*", SEARCH]
_LIMIT_S = 3600


def command(paths: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "--durations=10", *paths]


def environment(name: str) -> dict[str, str]:
    return os.environ | {"MUSTER_TEST_OUTPUT": f"test-output-{name}.log"}


def main() -> int:
    BUILD.mkdir(exist_ok=True)
    said = BUILD / "test-stories.txt"
    with said.open("wb") as file:
        stories = subprocess.Popen(
            command(STORIES),
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment("stories"),
        )
        try:
            rest = subprocess.run(
                command(REST), cwd=ROOT, env=environment("rest"), check=False, timeout=_LIMIT_S
            )
            print("\nThe stories of tests/system, which ran meanwhile:\n", flush=True)
            stories.wait(_LIMIT_S)
        finally:
            stories.kill()
            stories.wait()
    sys.stdout.write(said.read_text(errors="replace"))
    sys.stdout.flush()
    return rest.returncode or stories.returncode


if __name__ == "__main__":
    sys.exit(main())

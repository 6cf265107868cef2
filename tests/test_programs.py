# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are the tests' programs fetched, and do tests see nothing of whoever runs them?"""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from set_up import Failed
from tests import programs, surroundings

ROOT = Path(__file__).resolve().parents[1]
_HOST = re.compile(r"https?://|--(?:extra-)?index-url|--find-links")
_SEEN = "import json, sys, tests.system.demo; print(json.dumps(sorted(sys.modules)))"


def pinned(lock: str) -> set[str]:
    text = (ROOT / lock).read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))


def test_the_demo_needs_nothing_that_only_tests_need() -> None:
    command = [sys.executable, "-c", _SEEN]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=60)
    roots = {name.partition(".")[0] for name in json.loads(said.stdout)}
    owners = metadata.packages_distributions()
    used = {re.sub("[-_.]+", "-", o).lower() for root in roots for o in owners.get(root, ())}
    assert "requests" in used
    assert used & (pinned("requirements-dev.lock") - pinned("requirements.lock")) == set()


@pytest.mark.parametrize("path", [*ROOT.glob("*.lock"), *ROOT.glob("tests/*/*/package-lock.json")])
def test_a_lock_names_no_index(path: Path) -> None:
    assert not _HOST.search(path.read_text())


def test_a_variable_of_somebody_is_not_seen() -> None:
    assert not [name for name in os.environ if name.startswith(("MUSTER_TOK", "PYTHON", "NO_C"))]
    assert "http_proxy" not in os.environ
    assert surroundings.before()


def test_what_fails_to_come_leaves_nothing_and_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "BUILD", tmp_path)
    monkeypatch.setattr(programs, "_failed", {})
    tried = []

    def half(draft: Path, _: Path) -> None:
        tried.append(draft)
        (draft / "half").touch()
        raise Failed("the line went")

    for _ in range(2):
        with pytest.raises(Failed, match="the line went"):
            programs.once("thing", b"lock", half)
    assert len(tried) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]

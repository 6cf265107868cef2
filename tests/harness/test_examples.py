# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The harness as strangers use it: what README and examples/ show, as it stands there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from muster_harness.errors import HarnessError
from muster_harness.units.rig import read_rig
from muster_harness.units.unit import CAPABILITIES

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"
PACKAGE = HARNESS / "muster_harness"
DOORBELL = HARNESS / "examples" / "doorbell"
README = (HARNESS / "README.md").read_text()
_LIMIT_S = 100


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def pytest_in(folder: Path, *options: str) -> str:
    """Runs pytest as a project of its own does, and returns what it says if all is green."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", *options]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def published(tmp_path: Path) -> str:
    """The checkout as pip finds it: a repository, with a commit."""
    repository = tmp_path / "muster"
    apart = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "hil-logs")
    for part in ("boards", "firmware", "harness"):
        shutil.copytree(ROOT / part, repository / part, symlinks=True, ignore=apart)
    shutil.copy(ROOT / "LICENSE", repository)
    name = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid"]
    name += ["-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "-A"], [*name, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *words], cwd=repository, check=True, timeout=_LIMIT_S)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True, text=True
    )
    return f"git+file://{repository}@{done.stdout.strip()}"


def test_the_workflow_of_the_example_is_green(tmp_path: Path, published: str) -> None:
    """The workflow's own commands run in a copy of the project.

    Only the tools come from here, and there is no index.
    """
    project, installed = tmp_path / "doorbell", tmp_path / "installed"
    shutil.copytree(DOORBELL, project, ignore=shutil.ignore_patterns("hil-logs"))
    workflow = (project / ".github" / "workflows" / "test.yml").read_text()
    install, test = re.findall(r"^ +- run: (.*)$", workflow, re.MULTILINE)
    assert "git+https://replace-me.invalid/muster@REPLACE-WITH-A-COMMIT" in workflow
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"} | {
        "MUSTER": published,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this switch the wrong way round
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_TARGET": str(installed),
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(install)
    assert run("python -c 'import muster_harness as m; print(m.__file__)'").startswith(
        str(installed)
    )
    assert "5 passed" in run(test)
    logs = {path.name: path.read_text() for path in (project / "hil-logs").glob("*.log")}
    rang = next(text for name, text in logs.items() if "reaches_the_server" in name)
    assert re.search(r"server +\* POST /ring .*count", rang)
    assert (project / "report.xml").exists()


@pytest.mark.parametrize(
    ("ring", "order"),
    [(lambda *_: 204, ["on", "rang: 204"]), (lambda *_: int(""), ["off", "nobody heard it: …"])],
    ids=["heard", "not heard"],
)
def test_the_led_of_the_example_changes_before_the_words_that_a_test_waits_for(
    ring: Callable[..., int], order: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str] = []
    levels = iter((0, 1))  # pressed, then let go; then the test is over
    pin = SimpleNamespace(
        on=lambda: seen.append("on"), off=lambda: seen.append("off"), value=lambda: next(levels)
    )
    parts = {"Pin": Mock(return_value=pin), "unique_id": lambda: b""}
    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(**parts))
    monkeypatch.setitem(sys.modules, "network", Mock())
    (tmp_path / "doorbell.json").write_text("{}")
    program: dict[str, Any] = {
        "print": lambda *words: seen.append(" ".join(map(str, words))),
        "open": lambda path: (tmp_path / "doorbell.json").open(),
    }
    source = (DOORBELL / "firmware" / "main.py").read_text()
    exec(source.removesuffix("main()\n"), program)  # noqa: S102 (of this repository)
    program["ring"] = ring
    with pytest.raises(StopIteration):
        program["main"]()
    said = ["nobody heard it: …" if word.startswith("nobody") else word for word in seen]
    assert said == ["waiting", *order, "waiting"]


def test_the_fifteen_lines_of_the_readme_are_green(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(blocks(README, "ini")[0])
    (tmp_path / "firmware").symlink_to(DOORBELL / "firmware")
    body = blocks(README, "python")[0]
    (tmp_path / "test_readme.py").write_text(body)
    (tmp_path / "test_sensor.py").write_text(blocks(README, "python")[2])
    assert "2 passed" in pytest_in(tmp_path)
    assert len(body[body.index("def ") :].splitlines()) <= 15


def test_the_readme_without_pytest_runs(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(blocks(README, "python")[1])
    (tmp_path / "build").mkdir()
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    assert "42\n Heap(free=" in done.stdout


@pytest.mark.parametrize("page", [HARNESS / "README.md", DOORBELL / "README.md"])
def test_the_rig_files_shown_are_right(page: Path, tmp_path: Path) -> None:
    for block in blocks(page.read_text(), "toml"):
        if "[[quarantine]]" in block:
            continue  # another file's
        (tmp_path / "rig.toml").write_text(block.replace("…", "correct horse"))
        try:
            assert read_rig(tmp_path / "rig.toml").units
        except HarnessError as e:
            pytest.fail(str(e))


def test_the_readme_names_every_option_marker_fixture_and_capability() -> None:
    plugin = (PACKAGE / "plugin.py").read_text()
    fixtures = (PACKAGE / "fixtures.py").read_text()
    names = re.findall(r'"(--hil-[a-z-]+)"', plugin) + re.findall(r'addini\("(\w+)"', plugin)
    names += re.findall(r"def (hil_\w+)\(", fixtures) + re.findall(r"^    .?(hil_\w+)\(", plugin)
    assert len(names) > 12
    assert [name for name in (*names, *CAPABILITIES) if f"`{name}" not in README] == []
    heap = re.search(r'addini\("hil_heap".* "(\w+)"\)', plugin)
    assert heap and f"heap on emulated boards; `{heap[1]}`" in README


def test_the_harness_is_installed_from_nowhere_but_its_repository() -> None:
    """No package index has it, and a stranger may take the name."""
    told = [README, (DOORBELL / "README.md").read_text(), (ROOT / "README.md").read_text()]
    told.append((DOORBELL / ".github" / "workflows" / "test.yml").read_text())
    bare = re.compile(r"pip install (?:-\S+ )*['\"]?muster-harness")
    found = [line for text in told for line in text.splitlines() if bare.search(line)]
    assert all("Do not" in line for line in found), found
    project = tomllib.loads((HARNESS / "pyproject.toml").read_text())["project"]
    assert project["name"] == "muster-harness"

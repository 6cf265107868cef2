# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""For strangers' CI: the composite Action, whose steps run here, and the Containerfile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"
DOORBELL = HARNESS / "examples" / "doorbell"
_LIMIT_S = 100
_BIN = Path(sys.executable).parent


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((HARNESS / "action" / "action.yml").read_text())
    return found


def scripts() -> list[dict[str, Any]]:
    return [step for step in action()["runs"]["steps"] if "run" in step]


def test_the_action_has_what_github_wants_of_one() -> None:
    found = action()
    assert set(found) == {"name", "description", "inputs", "runs"}
    assert found["runs"]["using"] == "composite"
    for step in found["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "shell" in step or "uses" in step
    for step in scripts():
        # An input in the text of a script would be code of whoever opens a pull request.
        assert "${{" not in step["run"]


@pytest.mark.parametrize("script", scripts(), ids=lambda step: step["name"])
def test_the_scripts_of_the_action_are_without_a_fault(
    script: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "step.sh"
    path.write_text(script["run"])
    done = subprocess.run(
        [_BIN / "shellcheck", "--shell=bash", path], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("github-actions", HARNESS / "action" / "action.yml"),
        ("github-workflows", DOORBELL / ".github" / "workflows" / "test.yml"),
    ],
)
def test_what_github_reads_has_github_s_form(schema: str, file: Path) -> None:
    done = subprocess.run(
        [_BIN / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", file],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout


def test_the_containerfile_is_without_a_fault() -> None:
    done = subprocess.run(
        [_BIN / "hadolint", HARNESS / "Containerfile"], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout
    copied = [
        line.split()[1:-1]
        for line in (HARNESS / "Containerfile").read_text().splitlines()
        if line.startswith("COPY")
    ]
    assert all((ROOT / name).exists() for names in copied for name in names)


def test_the_steps_of_the_action_are_green(tmp_path: Path) -> None:
    """In a copy of the example; only the tools come from here, and there is no index."""
    source, project, installed = tmp_path / "muster", tmp_path / "doorbell", tmp_path / "installed"
    apart = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "hil-logs")
    for part in ("boards", "firmware", "harness"):
        shutil.copytree(ROOT / part, source / part, symlinks=True, ignore=apart)
    shutil.copy(ROOT / "LICENSE", source)
    shutil.copytree(DOORBELL, project, ignore=shutil.ignore_patterns("hil-logs"))
    environment = {k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"} | {
        "PATH": f"{_BIN}:{os.environ['PATH']}",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this switch the wrong way round
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_TARGET": str(installed),
        "PYTHONPATH": str(installed),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    given = {name: str(what["default"]) for name, what in action()["inputs"].items()}
    given["arguments"] = "-q -k reaches --hil-repeat=2"
    said = ""
    for step in scripts():
        values = {
            name: value.replace("${{ github.action_path }}", str(source / "harness" / "action"))
            for name, value in step["env"].items()
        }
        for name, text in given.items():
            values = {k: v.replace(f"${{{{ inputs.{name} }}}}", text) for k, v in values.items()}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step["run"]],
            cwd=project,
            env=environment | values,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
    assert "2 passed" in said
    assert list((project / "hil-logs").glob("*reaches*.pcapng"))
    assert (project / "report.xml").exists()

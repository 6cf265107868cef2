# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The harness alone, installed: what somebody has who takes nothing else of this project."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_S = 100
_APART = ("examples", "build", "boards", "__pycache__")

SCRIPT = """
import sys
from pathlib import Path
import harness
from harness.emulated import EmulatedBoard
from harness.facts import BOARDS, read_facts
assert str(Path(harness.__file__).parent) == sys.argv[1] + "/harness", harness.__file__
assert len(list(BOARDS.glob("ESP32_*.toml"))) > 4
assert read_facts("ESP32_GENERIC_C3").mcu == "esp32c3"
with EmulatedBoard(sys.argv[2]) as board:
    board.power_on()
    print(board.eval("6 * 7"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, for a build leaves its traces in the folder."""
    folder = tmp_path_factory.mktemp("source")
    for part in ("boards", "harness"):
        shutil.copytree(ROOT / part, folder / part, symlinks=True)
    shutil.copy(ROOT / "LICENSE", folder)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*command, "--no-deps", "--no-build-isolation", "--wheel-dir", ".", "./harness"],
        cwd=folder,
        check=True,
        timeout=_LIMIT_S,
    )
    (made,) = folder.glob("muster_harness-*.whl")
    return made


def test_the_wheel_holds_every_module_shim_and_board(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        f"harness/{path.relative_to(ROOT / 'harness')}"
        for path in (ROOT / "harness").rglob("*.py")
        if not set(_APART) & set(path.relative_to(ROOT / "harness").parts)
    }
    boards = {f"harness/boards/{path.name}" for path in (ROOT / "boards").glob("*.toml")}
    assert modules | boards | {"harness/py.typed"} <= names
    assert not [name for name in names if "examples" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_an_installed_harness_needs_nothing_of_the_repository(wheel: Path, tmp_path: Path) -> None:
    there = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(there)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(there), str(tmp_path / "board")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(there)},
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )
    assert done.stdout == "42\n", done.stderr

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The lists that others install Muster from name each of its files, and one version."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.units.emulated import EmulatedBoard

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"


def test_mip_installs_every_file() -> None:
    package = json.loads((FIRMWARE / "package.json").read_text())
    files = sorted(f"muster/{path.name}" for path in (FIRMWARE / "muster").glob("*.py"))
    assert package["urls"] == [[name, name] for name in files]


def test_everything_names_one_version() -> None:
    versions = {
        tomllib.loads((ROOT / part / "pyproject.toml").read_text())["project"]["version"]
        for part in ("host_server", "harness")
    }
    package = json.loads((FIRMWARE / "package.json").read_text())
    in_module = re.search(
        r'__version__ = "(.*)"', (FIRMWARE / "muster" / "__init__.py").read_text()
    )
    manifest = ast.parse((FIRMWARE / "manifest.py").read_text())
    call = next(n for n in ast.walk(manifest) if isinstance(n, ast.Call) and n.keywords)
    frozen = next(ast.literal_eval(k.value) for k in call.keywords if k.arg == "version")
    assert in_module is not None
    assert versions == {package["version"]} == {in_module[1]} == {frozen}


def test_the_manifest_freezes_every_file_and_nothing_else() -> None:
    """The manifest is a program: run here with functions like those of MicroPython's own tool."""
    frozen: list[str] = []

    def package(name: str, files: tuple[str, ...] | None = None, base_path: str = ".") -> None:
        assert files is None
        folder = FIRMWARE / base_path / name
        frozen.extend(sorted(path.name for path in folder.rglob("*.py")))

    text = (FIRMWARE / "manifest.py").read_text()
    exec(compile(text, "manifest.py", "exec"), {"metadata": dict, "package": package})  # noqa: S102
    assert frozen == sorted(path.name for path in (FIRMWARE / "muster").glob("*.py"))
    assert [path for path in (FIRMWARE / "muster").rglob("*") if path.suffix == ".mpy"] == []


@pytest.mark.timeout(60)
def test_mpremote_mip_installs_it_from_disk(tmp_path: Path) -> None:
    with Air() as air, EmulatedBoard(tmp_path / "board", air=air) as board:
        board.power_on()
        board.expect(rb">>> ", 5)
        command = [sys.executable, "-m", "mpremote", "connect", board.port]
        subprocess.run(
            [*command, "mip", "install", str(FIRMWARE / "package.json")],
            check=True,
            capture_output=True,
            timeout=50,
        )
        said = subprocess.run(
            [*command, "exec", "import muster; print(muster.__version__)"],
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert said.stdout.strip() == "0.1.0"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The two distributions, installed: what somebody has who has no checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import muster_harness
from tests.children import ended
from tests.host_server.processes import ANY_PORT, QUIET, start

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_S = 100
_APART = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "hil-logs")
_LINKED = ("boards", "firmware")

BOARD = """
import sys
from muster_harness import EmulatedBoard, read_facts
from muster_harness.facts import BOARDS
assert BOARDS.is_relative_to(sys.prefix) and len(list(BOARDS.glob("ESP32_*.toml"))) > 4
assert read_facts("ESP32_GENERIC_C3").mcu == "esp32c3"
with EmulatedBoard("board") as board:
    board.power_on()
    print(board.eval("6 * 7"), board.port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Built from a copy, for a build leaves its traces in the folder."""
    folder = tmp_path_factory.mktemp("source")
    for part in ("boards", "firmware", "harness", "host_server"):
        shutil.copytree(ROOT / part, folder / part, symlinks=True, ignore=_APART)
    shutil.copy(ROOT / "LICENSE", folder)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--wheel-dir", ".", "./harness"]
    run([*command, "./host_server"], folder)
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that has the wheels and what they depend on."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python3*/site-packages")
    # Dependencies come from here, not from an index. A .pth is read for its paths only, so what
    # this environment links to its checkout is not found through it.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "install"]
    run([*command, "--quiet", "--no-index", "--no-deps", *map(str, wheels)], folder)
    return folder / "bin"


def run(command: list[str], folder: Path, **environment: str) -> str:
    """Run a command, which has to succeed, and return what it prints.

    Nothing here points at the checkout.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MUSTER"))}
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def modules(package: Path) -> set[str]:
    """The names that a wheel gives to a package's files, but for what is only linked to it."""
    paths = [path.relative_to(package.parent) for path in package.rglob("*.py")]
    return {str(path) for path in paths if path.parts[1] not in (*_LINKED, "__pycache__")}


def test_the_wheels_hold_every_module_shim_board_and_the_firmware(wheels: list[Path]) -> None:
    names = {name for wheel in wheels for name in zipfile.ZipFile(wheel).namelist()}
    wanted = modules(ROOT / "harness/muster_harness") | modules(ROOT / "host_server/muster_server")
    wanted |= {f"muster_harness/boards/{path.name}" for path in (ROOT / "boards").glob("*.toml")}
    wanted |= {f"muster_harness/{p.relative_to(ROOT)}" for p in (ROOT / "firmware").rglob("*.py")}
    wanted |= {"muster_harness/py.typed", "muster_server/py.typed"}
    assert wanted - names == set()
    top = {name.split("/")[0].split("-")[0] for name in names}
    assert top == {"muster_harness", "muster_server"}
    assert not [name for name in names if "examples" in name or name.endswith(".pyc")]
    assert sum(name.endswith("licenses/LICENSE") for name in names) == 2


def test_the_installed_servers_serve(installed: Path, tmp_path: Path) -> None:
    python = str(installed / "python")
    where = run([python, "-c", "import muster_server; print(muster_server.__file__)"], tmp_path)
    assert Path(where).is_relative_to(installed.parent)
    assert "muster serve" in run([str(installed / "muster"), "serve", "--help"], tmp_path)
    assert "MUSTER:1:" in run([str(installed / "muster"), "label", "new"], tmp_path)
    # its databases are made by the migrations in the wheel
    muster = str(installed / "muster")
    options = (*ANY_PORT, "--platform-listen", "127.0.0.1:0", *QUIET)
    servers = start(tmp_path / "data", *options, command=[muster])
    token = re.search(r"[\w-]{40,}", "".join(servers.lines))
    try:
        assert token, servers.lines
        command = [muster, "device", "list", "--portal", servers.urls["portal"]]
        assert run(command, tmp_path, MUSTER_TOKEN=token[0]) == "there is no device yet\n"
    finally:
        servers.stop()


def test_the_installed_bench_deploys_its_own_firmware(installed: Path, tmp_path: Path) -> None:
    """Onto an emulated board that comes with it, by the command that a stranger has."""
    script = tmp_path / "board.py"
    script.write_text(BOARD)
    process = subprocess.Popen(
        [str(installed / "python"), str(script)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with ended(process) as board:
        assert board.stdout and board.stdin
        answer, port = board.stdout.readline().split()
        assert answer == "42"
        unit = str(installed / "muster-unit")
        run([unit, "deploy", "--port", port, "--model", "press"], tmp_path)
        found = json.loads(run([unit, "info", "--port", port, "--json"], tmp_path))
        assert found["firmware"], found
        board.stdin.close()
        assert board.wait(_LIMIT_S) == 0


@pytest.mark.parametrize("name", muster_harness.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(muster_harness, name)
    assert name.isupper() or found.__module__.startswith("muster_harness.")


def test_the_readme_lists_what_is_public() -> None:
    readme = (ROOT / "harness/README.md").read_text()
    public = readme[readme.index("## What is public") : readme.index("## What is where")]
    assert [name for name in muster_harness.__all__ if f"`{name}`" not in public] == []


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(AttributeError, match="has no 'EmulatedBord'; it has .*EmulatedBoard"):
        _ = muster_harness.EmulatedBord

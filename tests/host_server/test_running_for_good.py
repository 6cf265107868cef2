# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do the servers run as the systemd units, the image and the compose file say?"""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from muster_server import backup, cli
from muster_server.settings import read_settings
from tests.host_server.processes import QUIET, Servers, start

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "host_server"
UNITS = sorted((HERE / "systemd").iterdir())
_STATE = "/var/lib/muster"
_BIN = Path(sys.executable).parent
_ROLES = ("PORTAL", "CONFIG", "PLATFORM", "OPERATIONS")
_ANY_PORT = {f"MUSTER_{name}_LISTEN": "127.0.0.1:0" for name in _ROLES}


def started(data: Path, told: Mapping[str, str], *options: str) -> Servers:
    given = [f"{name}={value}" for name, value in {**told, **_ANY_PORT}.items()]
    command = ("env", *given, sys.executable, "-m", "muster_server")
    return start(data, *QUIET, *options, ready=4, command=command)


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """The unit's settings: each may be there several times."""

    class Several(dict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            if isinstance(value, list) and key in self:
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    read = configparser.RawConfigParser(
        dict_type=Several, strict=False, interpolation=None, comment_prefixes=("#",)
    )
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string((HERE / "systemd" / name).read_text())
    return {s: {k: v.split("\n") for k, v in read[s].items()} for s in read.sections()}


def words_of(lines: list[str]) -> dict[str, str]:
    words = [word for line in lines for word in shlex.split(line)]
    return dict(word.split("=", 1) for word in words)


def test_servers_start_as_the_unit_starts_them(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(0o700)
    service = unit("muster.service")["Service"]
    (line,) = service["ExecStart"]
    assert shlex.split(line) == [
        *("/opt/muster/bin/muster", "serve", "--data", "${STATE_DIRECTORY}")
    ]
    told = {k: v.replace(_STATE, str(state)) for k, v in words_of(service["Environment"]).items()}
    servers = started(state, told)
    try:
        answer = requests.get(servers.urls["operations"] + "/ready", timeout=5)
        assert answer.json()["status"] == "ready"
        assert (state / "admin-token").stat().st_mode & 0o077 == 0
    finally:
        code, out, err = servers.stop()
    assert code == 0
    assert [line for line in err.splitlines() if not line.startswith("{")] == []
    assert (state / "admin-token").read_text().strip() not in out + err


def test_backup_is_made_as_the_unit_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, state, program = tmp_path / "data", tmp_path / "state", tmp_path / "muster"
    state.mkdir(0o700)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m muster_server "$@"\n')
    program.chmod(0o755)
    old = state / "old.age"
    old.touch()
    os.utime(old, (0, 0))
    public = backup.make_key(tmp_path / "key")
    service = unit("muster-backup.service")["Service"]
    here = {
        **{"/opt/muster/bin/muster": str(program), _STATE: str(data)},
        **{"${STATE_DIRECTORY}": str(state), "%%": "%"},
    }
    environ = {"PATH": os.environ["PATH"], "RECIPIENT": public, "STATE_DIRECTORY": str(state)}
    servers = started(data, {}, "--admin-token-file", str(tmp_path / "token"))
    try:
        for line in (*service["ExecStart"], *service["ExecStartPost"]):
            for there, ours in here.items():
                line = line.replace(there, ours)  # noqa: PLW2901
            subprocess.run(shlex.split(line), check=True, timeout=60, env=environ)
    finally:
        servers.stop()
    (made,) = state.iterdir()  # the old one is gone
    words = ["backup", "restore", str(made), "--data", str(tmp_path / "restored")]
    assert cli.main([*words, "--identity-file", str(tmp_path / "key")]) == 0
    assert "config.sqlite" in capsys.readouterr().out


def test_units_are_without_a_fault(tmp_path: Path) -> None:
    """Looks with systemd's own tool where it is."""
    timers, services = (
        {path.stem for path in UNITS if path.suffix == suffix} for suffix in (".timer", ".service")
    )
    assert timers <= services == {"muster", "muster-backup"}
    assert unit("muster-backup.timer")["Install"]["WantedBy"] == ["timers.target"]
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return
    for path in UNITS:
        # The program is where an operator installs it, which is not here.
        text = path.read_text().replace("/opt/muster/bin/muster", sys.executable)
        (tmp_path / path.name).write_text(text)
    done = subprocess.run(
        [tool, "verify", *(tmp_path / path.name for path in UNITS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def containerfile(word: str) -> list[str]:
    lines = re.sub(r"\\\n\s*", " ", (HERE / "Containerfile").read_text()).splitlines()
    return [line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")]


def test_image_is_without_a_fault_and_copies_what_is_there() -> None:
    done = subprocess.run(
        [_BIN / "hadolint", HERE / "Containerfile"], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout
    copied = [name for line in containerfile("COPY") for name in line.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    needed = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["requires-python"]
    (base,) = containerfile("FROM")
    shown, least = (re.findall(r"\d+", text) for text in (base, needed))
    assert [int(number) for number in shown] >= [int(number) for number in least]


def test_image_starts_servers_whose_health_its_check_sees(tmp_path: Path) -> None:
    (line,) = containerfile("ENV")
    told = {k: v.replace(_STATE, str(tmp_path / "data")) for k, v in words_of([line]).items()}
    (command,) = containerfile("CMD")
    serve, *options = (word.replace(_STATE, str(tmp_path)) for word in json.loads(command))
    assert serve == "serve"
    (check,) = (line.partition("CMD ")[2] for line in containerfile("HEALTHCHECK"))
    python, *words = json.loads(check)
    assert python == "python"
    servers = started(Path(told.pop("MUSTER_DATA")), told, *options)
    port = servers.urls["operations"].rpartition(":")[2]
    asked = [sys.executable, *(word.replace("8429", port) for word in words)]
    try:
        healthy = subprocess.run(asked, timeout=30, capture_output=True, check=False).returncode
    finally:
        servers.stop()
    ended = subprocess.run(asked, timeout=30, capture_output=True, check=False).returncode
    assert healthy == 0 != ended


def test_compose_file_gives_settings_that_the_servers_take(tmp_path: Path) -> None:
    found = yaml.safe_load((HERE / "compose.yaml").read_text())
    given = {"MUSTER_NAME": "muster.example", "MUSTER_ADDRESS": "192.0.2.1"}

    def filled(text: str) -> str:
        return re.sub(r"\$\{(\w+)(:\?[^}]*)?\}", lambda match: given[match[1]], text)

    servers, front = found["services"]["servers"], found["services"]["front"]
    assert (HERE / servers["build"]["context"] / servers["build"]["dockerfile"]).exists()
    said = {name: filled(text) for name, text in servers["environment"].items()}
    settings = read_settings({"data": str(tmp_path)}, said)
    assert settings.portal_listen.is_loopback
    assert [listen.host for listen in settings.config_listens] == ["192.0.2.1"]
    assert settings.platform_listen.host == "192.0.2.1"
    assert settings.trusted_proxies == ("127.0.0.1/32",)
    command = filled(front["command"]).split()
    assert command[:2] == ["caddy", "reverse-proxy"]
    assert command[command.index("--to") + 1] == said["MUSTER_PORTAL_LISTEN"]
    volumes = {v.partition(":")[0] for s in found["services"].values() for v in s["volumes"]}
    assert volumes == set(found["volumes"])

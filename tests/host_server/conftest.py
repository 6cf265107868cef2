# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster`, and servers that it talks to."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from muster_server import cli
from muster_server.label import new_label
from muster_server.store.engine import MEMORY, database_url
from tests import secrecy
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import ANY_PORT, QUIET, Servers, start


@pytest.fixture(params=("sqlite", "postgresql"))
def empty_database(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Gives the URL of a role's database of each kind: in memory, or migrated; nothing in it."""
    if request.param == "sqlite":
        return lambda role: MEMORY
    emptied: Callable[[str], str] = request.getfixturevalue("postgres").emptied
    return emptied


@pytest.fixture(params=("sqlite", "postgresql"))
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The same for whoever is at it from several threads: in a file, or migrated."""
    if request.param == "sqlite":
        return lambda role: database_url(tmp_path, role)
    emptied: Callable[[str], str] = request.getfixturevalue("postgres").emptied
    return emptied


@pytest.fixture(scope="package")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Servers, Path]]:
    folder = Path(tmp_path_factory.mktemp("servers"))
    options = (*ANY_PORT, *QUIET, "--platform-listen", "127.0.0.1:0")
    running = start(folder / "data", *options, "--admin-token-file", str(folder / "token"))
    token = (folder / "token").read_text().strip()
    secrecy.hide(token)
    yield running, folder
    code, out, err = running.stop()
    assert (code, out) == (0, "")
    assert token not in "".join(running.lines) + err
    assert "Traceback" not in err


@pytest.fixture
def muster(
    servers: tuple[Servers, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Run a client command: exit code, what it printed, what it complained."""
    running, folder = servers
    monkeypatch.setenv("MUSTER_PORTAL_URL", running.urls["portal"])
    monkeypatch.delenv("MUSTER_TOKEN", raising=False)

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        import io

        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        options = () if words[0] == "label" else ("--token-file", str(folder / "token"))
        code = cli.main([*words, *options])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def profile(muster: Any, servers: tuple[Servers, Path], tmp_path: Path) -> str:
    platform = PROFILE["platform"] | {"url": servers[0].urls["platform"]}
    file = tmp_path / "press.json"
    file.write_text(json.dumps(PROFILE | {"platform": platform}))
    code, _, err = muster("profile", "add", str(file), "--replace")
    assert code == 0, err
    return str(file)


@pytest.fixture
def device_id(muster: Any, profile: str) -> str:
    label = new_label()
    secrecy.hide_label(label.qr_text, label.secret)
    code, _, err = muster("device", "add", "-", "--profile", "press", stdin=label.qr_text)
    assert code == 0, err
    return label.device_id

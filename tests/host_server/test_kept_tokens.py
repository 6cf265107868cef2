# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Which token opens which door, and how long after it was replaced?"""

import re
from pathlib import Path

import pytest
import requests

from muster_server import cli
from muster_server.errors import SettingsError
from muster_server.kept_tokens import OVERLAP_S, AdministratorToken, ServiceToken
from muster_server.private_files import write_once
from muster_server.tokens import new_token, token_hash
from tests import secrecy
from tests.host_server.processes import ANY_PORT, QUIET, Servers, start


def test_service_token_is_the_same_for_both_servers(tmp_path: Path) -> None:
    mine, theirs = (ServiceToken(tmp_path, "config") for _ in range(2))
    assert mine.accepted() == {token_hash(theirs.current())}
    assert (tmp_path / "config-token").stat().st_mode & 0o777 == 0o600


def test_service_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ServiceToken(tmp_path, "config").current()
    (tmp_path / "config-token").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        ServiceToken(tmp_path, "config").current()


def test_short_token_in_a_file_is_refused_without_being_repeated(tmp_path: Path) -> None:
    write_once(tmp_path / "config-token", "hunter2")
    with pytest.raises(SettingsError, match="32 to 128") as caught:
        ServiceToken(tmp_path, "config").current()
    assert "hunter2" not in str(caught.value)


def test_rotation_is_seen_by_both_and_overlaps(tmp_path: Path) -> None:
    now = tmp_path.stat().st_mtime
    server = ServiceToken(tmp_path, "config", lambda: now)
    client = ServiceToken(tmp_path, "config")
    former = client.current()
    assert server.accepted() == {token_hash(former)}
    ServiceToken(tmp_path, "config").rotate()
    now += 1
    assert client.current() != former
    assert server.accepted() == {token_hash(former), token_hash(client.current())}
    now += OVERLAP_S + 10
    assert server.accepted() == {token_hash(client.current())}


def test_former_token_is_no_good_however_late_the_rotation_is_noticed(tmp_path: Path) -> None:
    now = tmp_path.stat().st_mtime
    server = ServiceToken(tmp_path, "config", lambda: now)
    former = server.current()
    ServiceToken(tmp_path, "config").rotate()
    now += 3600
    assert token_hash(former) not in server.accepted()


def test_administrators_former_token_is_no_good_at_once(tmp_path: Path) -> None:
    former = new_token()
    write_once(tmp_path / "admin-token.sha256", token_hash(former))
    portal = AdministratorToken(tmp_path)
    assert portal.accepted() == {token_hash(former)}
    told = AdministratorToken(tmp_path).rotate()
    assert portal.accepted() == {token_hash(told)}
    assert told not in (tmp_path / "admin-token.sha256").read_text()


def door(servers: Servers, role: str, token: str) -> int:
    """The answer to this token at the door of a role."""
    place = {"portal": "/v1/profiles", "config": "/v1/profiles", "platform": "/accounts"}[role]
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(servers.urls[role] + place, headers=headers, timeout=5).status_code


def opened(servers: Servers, token: str) -> list[str]:
    """The roles whose door this token opens."""
    return [role for role in servers.urls if door(servers, role, token) == 200]


def test_each_token_opens_its_own_door_and_rotates_beneath_running_servers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A folder as an earlier release left it, in which the administrator's token opened all.
    data = tmp_path / "data"
    data.mkdir(0o700)
    tokens = {role: new_token() for role in ("portal", "config", "platform")}
    write_once(data / "admin-token.sha256", token_hash(tokens["portal"]))
    write_once(data / "config-token", tokens["config"])
    write_once(data / "platform-token", tokens["platform"])
    servers = start(data, *ANY_PORT, *QUIET, "--platform-listen", "127.0.0.1:0")
    try:
        for role, token in tokens.items():
            assert opened(servers, token) == [role]
        assert cli.main(["token", "rotate", "--data", str(data)]) == 0
        told = capsys.readouterr().out
        found = re.search(r"administrator's token, shown this once: (\S+)", told)
        assert found is not None
        fresh = {
            "portal": found[1],
            "config": (data / "config-token").read_text().strip(),
            "platform": (data / "platform-token").read_text().strip(),
        }
        for role, token in fresh.items():
            if role != "portal":  # that one is told, once
                secrecy.hide(token)
            assert opened(servers, token) == [role]
            assert token != tokens[role]
        assert fresh["config"] not in told
        assert opened(servers, tokens["portal"]) == []
    finally:
        code, _, err = servers.stop()
    assert code == 0
    assert "Traceback" not in err


def test_new_token_of_the_administrator_can_go_to_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_once(tmp_path / "admin-token.sha256", token_hash(new_token()))
    file = tmp_path / "token"
    words = ["token", "rotate", "--role", "portal", "--data", str(tmp_path)]
    assert cli.main([*words, "--admin-token-file", str(file)]) == 0
    token = file.read_text().strip()
    assert AdministratorToken(tmp_path).accepted() == {token_hash(token)}
    assert token not in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600


def test_folder_that_is_none_of_a_server_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["token", "rotate", "--data", str(tmp_path)]) == 2
    assert "is not the data directory of a server" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the servers promise about starting and stopping?"""

import json
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from muster_server import cli
from muster_server.errors import SettingsError
from muster_server.label import new_label
from muster_server.serve import bound
from muster_server.settings import Address
from muster_server.tokens import token_hash
from tests.host_server.config_server.field import PROFILE
from tests.host_server.processes import QUIET, Servers, run_serve, start

# Servers without a role, which end at once: who would end them has closed the pipe.
_FROZEN = """
import asyncio, gc, os
from muster_server import serve
life, other = os.pipe()
os.close(other)
ready = lambda: print(gc.get_freeze_count())
asyncio.run(serve._run([], is_told=False, life=life, ready=ready))
"""


def test_what_the_start_has_made_is_not_looked_through_by_each_collection() -> None:
    frozen = subprocess.run(
        [sys.executable, "-c", _FROZEN], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(frozen.stdout) > 10_000


def test_administrators_token_is_shown_at_the_first_start_only(tmp_path: Path) -> None:
    options = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    first = start(tmp_path / "data", *options, ready=1)
    assert first.stop()[0] == 0
    (told,) = [line for line in first.lines if "administrator's token" in line]
    assert re.search(r"mst_[\w-]{43}$", told.strip())
    second = start(tmp_path / "data", *options, ready=1)
    assert second.stop()[0] == 0
    assert not [line for line in second.lines if "administrator's token" in line]
    kept = (tmp_path / "data" / "admin-token.sha256").read_text()
    assert told.strip().rsplit(maxsplit=1)[-1] not in kept


def test_first_administrators_link_is_told_until_there_is_one(tmp_path: Path) -> None:
    options = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    links = []
    for _ in range(2):
        with_link = start(tmp_path / "data", *options, ready=1)
        (told,) = [line for line in with_link.lines if "first administrator" in line]
        links.append(told.split()[-1])
        if len(links) == 2:
            fields = {
                "code": links[1].partition("#")[2],
                "name": "ada",
                "password": "four plain words here",
            }
            url = with_link.urls["portal"]
            headers = {"Origin": url}
            joined = requests.post(url + "/join", data=fields, headers=headers, timeout=10)
            assert joined.url == url + "/devices"
        assert with_link.stop()[0] == 0
    assert links[0] != links[1]
    third = start(tmp_path / "data", *options, ready=1)
    assert third.stop()[0] == 0
    assert not [line for line in third.lines if "first administrator" in line]
    kept = (tmp_path / "data" / "portal.sqlite").stat()
    assert kept.st_mode & 0o777 == 0o600


def test_with_a_token_file_the_link_is_in_a_file_too(tmp_path: Path) -> None:
    options = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    token = ("--admin-token-file", str(tmp_path / "token"))
    portal = start(tmp_path / "data", *options, *token, ready=1)
    assert portal.stop()[0] == 0
    file = tmp_path / "data" / "first-administrator-link"
    assert f"first administrator, by the link in {file}\n" in portal.lines
    assert file.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/join#mst_[\w-]{43}\n", file.read_text())


def test_administrator_may_bring_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("brought-by-the-administrator-himself")
    options = ("--data", str(tmp_path / "data"), "--admin-token-file", str(file))
    only = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    portal = start(tmp_path / "data", *only, *options[2:], ready=1)
    assert portal.stop()[0] == 0
    assert "mst_" not in "".join(portal.lines)
    kept = (tmp_path / "data" / "admin-token.sha256").read_text().strip()
    assert kept == token_hash("brought-by-the-administrator-himself")
    file.write_text("another-one-that-is-not-the-first-one")
    refused = run_serve(*options, *only)
    assert refused.returncode == 2
    assert "is not the administrator's token" in refused.stderr


def test_roles_that_start_at_the_same_time_agree_on_the_token(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(0o700)
    only = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    options = (*only, "--admin-token-file", str(tmp_path / "token"))
    with ThreadPoolExecutor(4) as pool:
        portals = list(pool.map(lambda _: start(data, *options, ready=1), range(4)))
        ends = list(pool.map(Servers.stop, portals))
    assert [end[0] for end in ends] == [0] * 4
    kept = (data / "admin-token.sha256").read_text().strip()
    assert kept == token_hash((tmp_path / "token").read_text().strip())


def test_data_directory_that_others_can_read_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "something").touch()
    tmp_path.chmod(0o755)
    process = run_serve("--data", str(tmp_path))
    assert process.returncode == 2
    assert "chmod 700" in process.stderr


def test_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = run_serve(
            "--data", str(tmp_path), "--role", "portal", "--portal-listen", address
        )
    assert process.returncode == 2
    assert f"cannot listen on {address}" in process.stderr


def test_address_of_another_machine_is_said_so() -> None:
    with pytest.raises(SettingsError, match="this machine does not have that address"):
        bound(Address("203.0.113.7", 0), "portal")  # of RFC 5737, nobody's


@pytest.mark.parametrize(
    ("option", "value"), [("--data", "{}/file"), ("--admin-token-file", "{}/missing/token")]
)
def test_place_that_cannot_be_written_is_named(tmp_path: Path, option: str, value: str) -> None:
    (tmp_path / "file").touch()
    place = value.format(tmp_path)
    process = run_serve("--data", str(tmp_path / "data"), option, place)
    assert process.returncode == 2
    assert process.stderr.startswith(f"muster: {option}: {place}: ")


def test_portal_refuses_a_configuration_server_elsewhere_without_https(tmp_path: Path) -> None:
    options = ("--role", "portal", "--config-url", "http://10.0.0.1:8421")
    process = run_serve("--data", str(tmp_path), *options)
    assert process.returncode == 2
    assert "--config-url: wanted https" in process.stderr


def test_portal_that_others_can_reach_without_tls_says_so_loudly(tmp_path: Path) -> None:
    options = ("--role", "portal", "--portal-listen", "0.0.0.0:0")
    process = run_serve("--data", str(tmp_path), *options)
    assert process.returncode == 2
    assert "--portal-listen: at 0.0.0.0 the access token" in process.stderr
    portal = start(tmp_path / "data", *options, "--insecure", ready=1)
    code, _, err = portal.stop()
    assert code == 0
    assert "WARNING muster_server.serve: --insecure: whoever can listen" in err


def test_server_on_all_addresses_must_be_told_its_own(tmp_path: Path) -> None:
    options = ("--role", "config", "--config-listen", "0.0.0.0:0", *QUIET)
    process = run_serve("--data", str(tmp_path), *options)
    assert process.returncode == 2
    assert "--config-public-url: needed" in process.stderr


def test_roles_in_processes_of_their_own_work_together(tmp_path: Path) -> None:
    data, token = tmp_path / "data", tmp_path / "token"
    data.mkdir(0o700)
    platform = start(data, "--role", "platform", "--platform-listen", "127.0.0.1:0", ready=1)
    platform_url = platform.urls["platform"]
    config = start(
        data,
        *("--role", "config", "--config-listen", "127.0.0.1:0", *QUIET),
        *("--platform-public-url", platform_url),
        ready=1,
    )
    portal = start(
        data,
        *("--role", "portal", "--portal-listen", "127.0.0.1:0"),
        *("--config-url", config.urls["config"]),
        ready=1,
    )
    try:
        token.touch(0o600)
        token.write_text(portal.lines[0].split()[-1])
        file = tmp_path / "press.json"
        platform_fields = PROFILE["platform"] | {"url": platform_url}
        file.write_text(json.dumps(PROFILE | {"platform": platform_fields}))
        options = ["--portal", portal.urls["portal"], "--token-file", str(token)]
        assert cli.main(["profile", "add", str(file), *options]) == 0
        label = new_label().qr_text
        assert cli.main(["device", "add", label, "--profile", "press", *options]) == 0
    finally:
        ends = [servers.stop() for servers in (portal, config, platform)]
    assert [end[0] for end in ends] == [0, 0, 0]

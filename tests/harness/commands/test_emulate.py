# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is `make emulate` a world to play in: servers, a device, its button, its page?"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from muster_harness.air.address_range import AddressRange
from muster_harness.air.air import Air
from muster_harness.cli import main
from muster_harness.commands.emulated_networks import put_up
from muster_harness.commands.emulated_servers import set_up
from muster_harness.commands.retries import Retries
from muster_harness.errors import AirError, HarnessError
from tests import secrecy
from tests.children import AtTerminal

_WAIT_S = 40.0


@pytest.fixture
def address() -> str:
    """A router's address that no other emulated board of this machine has."""
    addresses = AddressRange()
    addresses.release()
    return f"{addresses.prefix}1"


@pytest.fixture
def surroundings() -> dict[str, str]:
    """An environment in which the portal is at a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
        "MUSTER_PORTAL_LISTEN": f"127.0.0.1:{port}",
        "MUSTER_PORTAL_URL": f"http://127.0.0.1:{port}",
    }


@pytest.fixture
def world(tmp_path: Path, address: str, surroundings: dict[str, str]) -> Iterator[AtTerminal]:
    command = [sys.executable, "-m", "muster_harness", "emulate", "--servers"]
    command += ["--address", address, "--directory", str(tmp_path / "emulated")]
    with AtTerminal(command, surroundings, tmp_path, _WAIT_S) as terminal:
        yield terminal


def matched(terminal: AtTerminal, pattern: str) -> str:
    terminal.expect(pattern)
    assert isinstance(terminal.match, re.Match)
    found: bytes = terminal.match[1]
    return found.decode()


@pytest.mark.timeout(180)
def test_device_is_registered_pressed_read_and_visited_by_what_is_printed(
    world: AtTerminal, tmp_path: Path, surroundings: dict[str, str]
) -> None:
    device_id = matched(world, r"device +(M-\w+), its firmware and label in place")
    environment = surroundings | {"MUSTER_DATA": matched(world, r"export MUSTER_DATA=(\S+)\r\n")}

    def typed(command: str) -> str:
        words = ["bash", "-c", command.replace(" --follow", "")]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=_WAIT_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    secrecy.hide((tmp_path / "emulated" / "label.txt").read_text().strip())
    commands = [matched(world, r"  (\S+muster [^\r\n]*)\r\n") for _ in range(3)]
    world.expect("Ctrl-C ends it")
    world.expect("5/9.*server_rejected")
    world.expect("and so on, until something changes")
    assert "prepared" in typed(commands[0])
    world.sendline("press")
    world.expect(r"9/9.* ok ")
    world.expect("committed version 1")
    assert f"{device_id}: registered" in typed(commands[1])
    assert "heap_free" in typed(commands[2])
    world.sendline("press twice")
    url = matched(world, r"has opened SETUP-\S+ its page: (http://\S+)\r\n")
    assert device_id in requests.get(url, timeout=20).text
    world.send("\x03")
    assert world.ends() == 0
    assert b"Traceback" not in world.said
    assert not (tmp_path / "emulated" / "rig.toml").exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(surroundings["MUSTER_PORTAL_URL"], timeout=5)


def test_closed_window_ends_the_servers_too(
    world: AtTerminal, surroundings: dict[str, str]
) -> None:
    world.expect("servers +ready")
    world.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(surroundings["MUSTER_PORTAL_URL"], timeout=5)


def test_servers_that_cannot_start_are_named_with_the_reason(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((address, 8422)):
        options = ["--servers", "--address", address, "--directory", str(tmp_path / "emulated")]
        assert main(["emulate", *options]) == 1
    err = capsys.readouterr().err
    assert f"--platform-listen: cannot listen on {address}:8422" in err
    assert "is it running already?" in err


def test_servers_of_another_address_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('config-public-url = "http://127.77.1.1:8421"\n')
    with pytest.raises(HarnessError, match="another address than 127.88.1.1"):
        set_up(tmp_path, "127.88.1.1", "factory", tmp_path / "password", "emulated")


def test_one_router_has_two_names_and_its_password_stays(tmp_path: Path, address: str) -> None:
    passwords = set()
    for _ in range(2):
        with Air() as air:
            networks = put_up(air, None, address, tmp_path / "password")
            assert networks.onboarding and networks.operational
            assert networks.onboarding[1].gateway == networks.operational[1].gateway == address
            passwords.add(networks.operational[1].password)
            with pytest.raises(AirError, match="address of another network"):
                put_up(air, None, address, tmp_path / "password")
    assert len(passwords) == 1
    secrecy.hide(str(passwords.pop()))


@pytest.mark.parametrize("wrong", ["10.0.0.1", "127.0.0.1", "127.7.1.2", "127.7.1", "127.1.999.1"])
def test_address_that_no_network_can_have_is_refused(wrong: str) -> None:
    with Air() as air, pytest.raises(AirError, match='a gateway like "127.77.1.1"'):
        air.add_access_point("factory", address=wrong)


def test_what_leads_to_the_same_failure_is_told_once() -> None:
    retries = Retries(colour=False)
    rejected = ["3 ok 1ms", "4 ok 2ms", "5 server_rejected 3ms"]
    told = [line for step in rejected * 3 for line in retries.lines(f"M 1 I step {step} x")]
    assert [line.split()[0] for line in told] == ["[3/9]", "[4/9]", "[5/9]", "…"]
    good = [f"M 1 I step {step} x" for step in ("3 ok 1ms", "4 ok 2ms", "5 ok 3ms")]
    assert [line[:5] for text in good for line in retries.lines(text)] == [
        "[3/9]",
        "[4/9]",
        "[5/9]",
    ]

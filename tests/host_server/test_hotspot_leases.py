# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is it noticed that stations of a hotspot get no addresses?"""

from pathlib import Path

import pytest

from muster_server import cli, hotspot, hotspot_leases
from muster_server.hotspot_leases import Unserved, check_dnsmasq, wait_for_dhcp
from muster_server.network_manager import HotspotError, NetworkManager, WiFiDevice

FIRST, SECOND = "24:6f:28:00:11:22", "24:6f:28:00:11:33"
# As iw 5.19 prints it.
DUMP = f"""\
Station {FIRST} (on wlan0)
\tinactive time:\t304 ms
\trx bytes:\t18816
Station {SECOND} (on wlan0)
\tinactive time:\t12 ms
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(programs: Path, name: str, prints: str) -> None:
    (programs / f"{name}.txt").write_text(prints)
    program = programs / name
    program.write_text(
        f'#!/bin/sh\nwhile IFS= read -r line; do echo "$line"; done < {programs}/{name}.txt\n'
    )
    program.chmod(0o755)


def test_who_waits_for_an_address_is_told_once(programs: Path) -> None:
    put(programs, "iw", DUMP)
    now = [0.0]
    unserved = Unserved("wlan0", lambda: now[0])
    assert list(unserved.news({FIRST})) == []
    now[0] = 14.0
    assert list(unserved.news({FIRST})) == []
    now[0] = 15.0
    (told,) = unserved.news({FIRST})
    assert SECOND in told and "UDP port 67" in told
    now[0] = 60.0
    assert list(unserved.news({FIRST})) == []


def test_who_comes_and_goes_is_waited_for_anew(programs: Path) -> None:
    now = [0.0]
    unserved = Unserved("wlan0", lambda: now[0])
    for at, said in ((0.0, DUMP), (10.0, ""), (20.0, DUMP), (34.0, DUMP)):
        put(programs, "iw", said)
        now[0] = at
        assert list(unserved.news(set())) == []


def test_without_iw_and_ss_nothing_is_claimed(programs: Path) -> None:
    assert list(Unserved("wlan0", lambda: 1000.0).news(set())) == []
    wait_for_dhcp("wlan0")


@pytest.mark.parametrize(
    "line", ["UNCONN 0 0 0.0.0.0%wlan0:67 0.0.0.0:*", "UNCONN 0      0            *:67    *:*"]
)
def test_a_dhcp_server_of_the_device_is_seen(programs: Path, line: str) -> None:
    put(programs, "ss", f"UNCONN 0 0 127.0.0.1:323 0.0.0.0:*\n{line}\n")
    wait_for_dhcp("wlan0")


def test_one_of_another_device_is_none(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hotspot_leases, "_BEGIN_S", 0.0)
    put(programs, "ss", "UNCONN 0 0 0.0.0.0%virbr0:67 0.0.0.0:*\n")
    with pytest.raises(HotspotError, match="nobody gives addresses"):
        wait_for_dhcp("wlan0")


def test_without_dnsmasq_nothing_is_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    class Manager(NetworkManager):
        def run(self, arguments, wait_s=0.0, descriptor=None):  # type: ignore[no-untyped-def]
            asked.append(" ".join(arguments))
            return ""

        def device(self, wanted: str | None) -> WiFiDevice:
            return WiFiDevice("wlan0", 30, "", "", True, ())

    monkeypatch.setattr(hotspot, "NetworkManager", Manager)
    monkeypatch.setattr(hotspot_leases, "is_there", lambda program: False)
    with pytest.raises(HotspotError, match="apt install dnsmasq-base"):
        check_dnsmasq()
    code = cli.main(["hotspot", "--name", "desk", "--data", str(tmp_path / "data")])
    assert code == 1 and "nobody would get an address" in capsys.readouterr().err
    assert not any("add" in call.split() for call in asked)

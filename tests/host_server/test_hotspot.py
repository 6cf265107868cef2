# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does `muster hotspot` promise? Above all: whatever happens, everything is as before."""

import hashlib
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from muster_server.network_manager import split
from tests import secrecy

HOME = "0f3a5f8e-2f0e-4d0f-8f53-0d7c3f8a9b10"
PASSPHRASE = r" back\slash and: spaces "
_ENDS_S = 20.0


class Desk:
    """A machine with a Wi-Fi device that is at home, and the command that changes that."""

    def __init__(self, place: Path) -> None:
        self._place = place
        programs = place / "bin"
        programs.mkdir()
        fake = Path(__file__).with_name("fake_nmcli.py")
        self._program(programs / "nmcli", f'exec {shlex.quote(sys.executable)} {fake} "$@"')
        self._program(programs / "ip", "echo 10.42.0.23 lladdr 24:6f:28:00:11:22 REACHABLE")
        self._program(programs / "dnsmasq", "exit 0")  # NetworkManager's business
        self._program(programs / "iw", "exit 0")
        self.dhcp("UNCONN 0 0 0.0.0.0%wlan0:67 0.0.0.0:*")
        self.gateway = f"127.{random.randrange(10, 60)}.{random.randrange(1, 255)}.1"
        self.state: dict[str, Any] = {
            "permissions": {
                "network-control": "yes",
                "settings.modify.system": "yes",
                "wifi.share.open": "yes",
                "wifi.share.protected": "yes",
            },
            "connections": {HOME: "Home: 5G"},
            "devices": {
                "eth0": {"type": "ethernet"},
                "wlan0": {
                    "type": "wifi",
                    "ap": "yes",
                    "state": "100 (connected)",
                    "active": HOME,
                    "address": self.gateway,
                },
            },
            "fail": {},
            "hang_s": 0,
            "passwords": None,
        }
        self.running: subprocess.Popen[str] | None = None

    def dhcp(self, line: str) -> None:
        """Let this be what `ss` says of DHCP servers."""
        self._program(self._place / "bin" / "ss", f"echo '{line}'")

    @staticmethod
    def _program(path: Path, line: str) -> None:
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def start(self, *options: str, path: str | None = None) -> subprocess.Popen[str]:
        (self._place / "state.json").write_text(json.dumps(self.state))
        (self._place / "calls.jsonl").touch()
        self.running = subprocess.Popen(
            [sys.executable, "-m", "muster_server", "hotspot", "--name", "desk"]
            + ["--data", str(self._place / "data"), "--role", "config", "--advertise", "no"]
            + ["--config-listen", f"{self.gateway}:8421", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                "PATH": path or f"{self._place / 'bin'}:{os.environ['PATH']}",
                "FAKE_NMCLI": str(self._place),
                "PYTHONUNBUFFERED": "1",
            },
        )
        return self.running

    def run(self, *options: str, path: str | None = None) -> tuple[int, str, str]:
        process = self.start(*options, path=path)
        out, err = process.communicate(timeout=_ENDS_S)
        return process.returncode, out, err

    def run_until(self, number: signal.Signals, *lines: str) -> tuple[int, str, str]:
        """Sends the signal as soon as all such lines have been printed."""
        assert self.running is not None and self.running.stdout is not None
        said = ""
        while not all(line in said for line in lines):
            piece = self.running.stdout.readline()
            assert piece, f"ended before {lines!r}: {said}"
            said += piece
        self.running.send_signal(number)
        out, err = self.running.communicate(timeout=_ENDS_S)
        return self.running.returncode, said + out, err

    def wait_for_call(self, start: str) -> None:
        deadline = time.monotonic() + _ENDS_S
        while not any(" ".join(call).startswith(start) for call in self.calls()):
            assert time.monotonic() < deadline, f"no call {start}"
            time.sleep(0.02)

    def calls(self) -> list[list[str]]:
        lines = (self._place / "calls.jsonl").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def now(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self._place / "state.json").read_text())
        return state

    def is_as_before(self) -> bool:
        now = self.now()
        return bool(
            now["connections"] == self.state["connections"]
            and now["devices"] == self.state["devices"]
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    if desk.running is not None and desk.running.poll() is None:
        desk.running.kill()
        desk.running.communicate()


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.touch(0o600)
    file.write_text(PASSPHRASE)
    secrecy.hide(PASSPHRASE)
    return file


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_devices_find_a_server_and_see_who_joins_until_it_ends(
    desk: Desk, number: signal.Signals
) -> None:
    desk.start()
    wait_ready(desk.gateway)
    code, out, err = desk.run_until(number, "joined 10.42.0.23 24:6f", "is up on wlan0")
    assert (code, desk.is_as_before()) == (0, True), err
    assert "hotspot MUSTER-desk (open, channel 6) is up on wlan0" in out
    assert f"config ready http://{desk.gateway}:8421" in out
    assert "wlan0 is on Home: 5G again" in out
    assert "wlan0 leaves Home: 5G until this ends" in err


def test_it_is_up_when_the_servers_answer_and_not_before(desk: Desk) -> None:
    running = desk.start()
    assert running.stdout is not None
    while "is up" not in (line := running.stdout.readline()):
        assert line, "ended before it was up"
    assert sync(desk.gateway).status_code == 400


def test_servers_end_with_it_even_if_it_is_killed(desk: Desk) -> None:
    desk.start()
    code, out, _ = desk.run_until(signal.SIGKILL, "is up on wlan0")
    assert code == -signal.SIGKILL and "config ready" in out
    deadline = time.monotonic() + _ENDS_S
    with pytest.raises(requests.ConnectionError):
        while time.monotonic() < deadline:
            sync(desk.gateway)
            time.sleep(0.05)
    desk.state = desk.now()  # what NetworkManager keeps is told by the next start
    code, _, err = desk.run()
    assert code == 1 and "nmcli connection delete id MUSTER-desk" in err


def test_where_nobody_gives_addresses_it_is_not_called_up(desk: Desk) -> None:
    desk.dhcp("UNCONN 0 0 0.0.0.0%eth0:67 0.0.0.0:*")  # of another network
    code, out, err = desk.run()
    assert code == 1 and "nobody gives addresses" in err
    assert "is up on" not in out and desk.is_as_before()


def sync(gateway: str) -> requests.Response:
    return requests.post(f"http://{gateway}:8421/v1/devices/A/sync?k=label", timeout=5)


def wait_ready(gateway: str) -> None:
    deadline = time.monotonic() + _ENDS_S
    while time.monotonic() < deadline:
        try:
            answer = sync(gateway)
        except requests.ConnectionError:
            time.sleep(0.05)
            continue
        assert answer.status_code == 400
        return
    pytest.fail("no configuration server on the hotspot")


def test_key_reaches_network_manager_and_no_command_line(desk: Desk, password_file: Path) -> None:
    desk.start("--password-file", str(password_file))
    code, out, err = desk.run_until(signal.SIGTERM, "is up on wlan0")
    assert (code, desk.is_as_before()) == (0, True), err
    passphrase = PASSPHRASE.strip()  # a file's last line has an end that is not part of it
    key = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), b"MUSTER-desk", 4096, 32).hex()
    assert desk.now()["passwords"] == f"802-11-wireless-security.psk:{key}\n"
    assert "WPA2" in out
    everything = json.dumps(desk.calls()) + out + err
    assert key not in everything and passphrase not in everything


def test_dry_run_shows_exactly_what_is_then_done(desk: Desk, password_file: Path) -> None:
    options = ("--device", "wlan0", "--password-file", str(password_file))
    code, shown, _ = desk.run(*options, "--dry-run")
    assert (code, desk.calls(), desk.is_as_before()) == (0, [], True)
    desk.start(*options)
    desk.run_until(signal.SIGTERM, "config ready")
    commands = [line[9:] for line in shown.splitlines() if line[9:].startswith("nmcli ")]
    known = shown_as(desk.calls())
    assert [command for command in commands if command not in known] == []
    assert [command for command in known if command not in commands] == []


def shown_as(calls: list[list[str]]) -> list[str]:
    """The calls with what is known only later in the words of the dry run."""
    later = {HOME: "<what was there before, if anything>"}
    descriptor = "/proc/self/fd/"
    words = [
        [later.get(w, descriptor + "<n>" if w.startswith(descriptor) else w) for w in call]
        for call in calls
    ]
    return [
        " ".join(w if w.startswith("<") else shlex.quote(w) for w in ["nmcli", *call])
        for call in words
    ]


def test_dry_run_needs_nothing(desk: Desk, tmp_path: Path) -> None:
    code, out, err = desk.run("--dry-run", path=str(tmp_path / "nowhere"))
    assert (code, err) == (0, "")
    assert "connection add" in out and "<device>" in out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("connection add", "nmcli connection add: failed on purpose"),
        ("connection up id", "nmcli connection up: failed on purpose"),
    ],
)
def test_failure_in_the_middle_is_told_and_everything_restored(
    desk: Desk, command: str, said: str
) -> None:
    desk.state["fail"] = {command: [4, "Error: failed on purpose"]}
    code, _, err = desk.run()
    assert code == 1 and said in err
    assert desk.is_as_before()


def test_servers_that_cannot_start_leave_everything_restored(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(0o755)
    (tmp_path / "data" / "something").touch()
    code, out, err = desk.run()
    assert code == 2 and "chmod 700" in err
    assert "wlan0 is on Home: 5G again" in out
    assert desk.is_as_before()


def test_signal_while_the_hotspot_comes_up_restores(desk: Desk) -> None:
    desk.state |= {"fail": {"connection up id": [3, "Error: Timeout expired"]}, "hang_s": 5}
    process = desk.start()
    desk.wait_for_call("--wait 45 connection up id")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=_ENDS_S)
    assert (process.returncode, desk.is_as_before()) == (0, True), err


def test_second_signal_does_not_disturb_the_restoration(desk: Desk) -> None:
    desk.state |= {"fail": {"connection up uuid": [4, "Error: no such network"]}, "hang_s": 1}
    process = desk.start()
    wait_ready(desk.gateway)
    process.send_signal(signal.SIGINT)
    desk.wait_for_call("--wait 45 connection up uuid")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=_ENDS_S)
    assert process.returncode == 1
    assert (
        f"wlan0 is not back on Home: 5G (nmcli connection up: no such network); try: nmcli \
connection up uuid {HOME}"
        in err
    )


def test_a_device_that_was_on_no_network_is_left_on_none(desk: Desk) -> None:
    desk.state["devices"]["wlan0"] |= {"active": None, "state": "30 (disconnected)"}
    desk.start()
    code, _, err = desk.run_until(signal.SIGHUP, "config ready")
    assert (code, desk.is_as_before()) == (0, True), err
    assert not any("uuid" in call for call in desk.calls())


Change = Callable[[dict[str, Any]], object]
PREREQUISITES: list[tuple[Change, str]] = [
    (lambda s: s["devices"].pop("wlan0"), "no Wi-Fi device; try a USB"),
    (lambda s: s["devices"]["wlan0"].update(ap="no"), "wlan0 cannot be an access point"),
    (lambda s: s["devices"]["wlan0"].update(state="20 (unavailable)"), "nmcli radio wifi on"),
    (lambda s: s["devices"]["wlan0"].update(state="10 (unmanaged)"), "wlan0 managed yes"),
    (lambda s: s["permissions"].update({"wifi.share.open": "no"}), "try it with sudo"),
    (lambda s: s["connections"].update({"u": "MUSTER-desk"}), "delete id MUSTER-desk"),
    (
        lambda s: s["fail"].update({"general": [8, "Error: NetworkManager is not running."]}),
        "sudo systemctl start NetworkManager",
    ),
]


@pytest.mark.parametrize(("change", "said"), PREREQUISITES)
def test_missing_prerequisite_is_named_before_anything_is_changed(
    desk: Desk, change: Change, said: str
) -> None:
    change(desk.state)
    code, _, err = desk.run()
    assert code == 1 and said in err
    assert not any(word in call for call in desk.calls() for word in ("add", "up", "delete"))


def test_without_nmcli_it_says_what_else_there_is(desk: Desk, tmp_path: Path) -> None:
    code, _, err = desk.run(path=str(tmp_path / "nowhere"))
    assert code == 1 and "no nmcli on PATH" in err and "docs/onboarding-network.md" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--name", "semi;colon"), "--name: wanted 1 to 25"),
        (("--name", "x" * 26), "--name: wanted 1 to 25"),
        (("--password-file", "/nowhere/at/all"), "No such file"),
    ],
)
def test_wrong_option_is_refused_before_anything_is_asked(
    desk: Desk, options: tuple[str, ...], said: str
) -> None:
    code, _, err = desk.run(*options)
    assert code == 2 and said in err
    assert desk.calls() == []


def test_terse_lines_are_taken_apart_as_nmcli_puts_them_together() -> None:
    assert split(r"wlan0:wifi:Home\: 5G") == ["wlan0", "wifi", "Home: 5G"]
    assert split(r"a\\:b") == ["a\\", "b"]
    assert split("::") == ["", "", ""]

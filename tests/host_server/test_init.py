# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster init` leave behind what plain `muster serve` and the clients need?"""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from muster_server import cli
from muster_server.settings import kept_settings, read_settings
from tests.children import AtTerminal
from tests.host_server.processes import start

ANSWERS = ("--address", "127.0.0.5", "--ssid", "factory", "--platform", "own", "--country", "DE")


def initialised(tmp_path: Path, *more: str) -> int:
    secret = tmp_path / "wifi.txt"
    secret.touch(0o600)
    secret.write_text("correct horse\n")
    data = ("--data", str(tmp_path / "data"))
    return cli.main(["init", *ANSWERS, "--password-file", str(secret), *data, *more])


def with_any_ports(folder: Path) -> None:
    """Have the servers listen at ports that are free: other servers may be at the usual ones."""
    file = folder / "settings.toml"
    text = re.sub(r"listen = .*", lambda m: re.sub(r":842\d", ":0", m[0]), file.read_text())
    file.write_text(text)


def test_served_folder_answers_its_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert initialised(tmp_path) == 0
    told = capsys.readouterr().out.splitlines()
    folder = tmp_path / "data"
    assert f"MUSTER_DATA={folder} muster serve" in [line.strip() for line in told]
    assert {p.stat().st_mode & 0o077 for p in folder.iterdir()} == {0}
    assert not any(b"correct horse" in p.read_bytes() for p in folder.iterdir() if p.is_file())
    with_any_ports(folder)
    servers = start(folder, "--portal-listen", "127.0.0.1:0", "--advertise", "no")
    try:
        monkeypatch.delenv("MUSTER_TOKEN", raising=False)
        monkeypatch.setenv("MUSTER_DATA", str(folder))
        monkeypatch.setenv("MUSTER_PORTAL_URL", servers.urls["portal"])
        assert cli.main(["profile", "show", "default"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["networks"][0]["psk_set"] is True
        assert shown["platform"]["url"] == "https://127.0.0.5:8422"
        assert servers.urls["platform"].startswith("https://")
    finally:
        servers.stop()


def test_second_init_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert initialised(tmp_path) == 0
    before = {p: p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()}
    assert initialised(tmp_path, "--country", "FR") == 2
    assert "is set up already, and stays as it is" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in (tmp_path / "data").rglob("*") if p.is_file()} == before


def test_init_that_was_interrupted_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert initialised(tmp_path) == 0
    (tmp_path / "data" / "settings.toml").unlink()
    assert initialised(tmp_path) == 0
    assert 'the profile "default" was there already' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--address", "nowhere"), "--address: wanted an IPv4 address"),
        (("--country", "Germany"), "country: wanted two capital letters"),
        (("--ssid", "x" * 33), "networks[0].ssid: wanted 1 to 32 bytes"),
        (("--profile", "My Press"), "name: wanted a-z"),
        (("--platform", "m2m"), "platform.url: wanted the form"),
        (("--platform", "https://m2m.example", "--cse", "x", "--offline"), "platform.ca: https"),
        (("--password-file", "/nonexistent"), "--password-file: /nonexistent: No such file"),
    ],
    ids=["address", "country", "ssid", "profile", "url", "authority", "file"],
)
def test_wrong_answer_is_said_and_nothing_is_set_up(
    more: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert initialised(tmp_path, *more) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "data" / "settings.toml").exists()


def test_without_a_terminal_the_options_that_lack_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["init", "--data", str(tmp_path / "data"), "--ssid", "factory"]) == 2
    err = capsys.readouterr().err
    assert "give --address, --password-file (or --open), --platform, --country" in err


# This program with networks of the test's choice, whatever those of this machine are.
_ON_NETWORKS = """
import sys, ifaddr
from muster_server import cli
def adapter(name, address):
    return ifaddr.Adapter(name, name, [ifaddr.IP(address, 24, name)])
pairs = [word.split("=") for word in sys.argv.pop(1).split()]
ifaddr.get_adapters = lambda: [adapter(*pair) for pair in [("lo", "127.0.0.1"), *pairs]]
sys.exit(cli.main(sys.argv[1:]))
"""


def asked_on(networks: str, folder: Path) -> list[str]:
    data = str(folder / "data")
    return [sys.executable, "-c", _ON_NETWORKS, networks, "init", "--data", data]


@pytest.mark.parametrize(
    ("networks", "question", "answer", "address"),
    [
        ("", "on no network now.*address: ", "192.168.1.10", "192.168.1.10"),
        ("eth0=10.0.0.7", "1  10.0.0.7 +eth0.*address .1.: ", "", "10.0.0.7"),
        ("docker0=172.17.0.1 eth0=10.0.0.7", "1  10.0.0.7.*2  172.*of containers.*: ", "2",
         "172.17.0.1"),
        ("eth0=10.0.0.7 wlan0=10.0.1.7", "2  10.0.1.7.*: ", "127.0.0.5", "127.0.0.5"),
    ],
    ids=["no network", "one", "of containers", "another"],
)  # fmt: skip
def test_questions_are_asked_and_the_password_is_not_shown(
    networks: str, question: str, answer: str, address: str, tmp_path: Path
) -> None:
    command = asked_on(networks, tmp_path)
    environment = {"PATH": os.environ["PATH"], "LANG": "de_DE.UTF-8"}
    with AtTerminal(command, environment) as terminal:
        for asked, typed in (
            (question, answer),
            ("name of the Wi-Fi.*: ", "factory"),
            (r"\(not shown\): ", "short"),
            (r"8 to 63.*\(not shown\): ", "correct horse"),
            ("platform: own.*: ", ""),
            (r"country, as two letters \[DE\]: ", ""),
        ):
            terminal.expect(f"(?s){asked}")
            terminal.sendline(typed)
        assert terminal.ends() == 0, terminal.said
    assert b"correct horse" not in terminal.said
    assert kept_settings(tmp_path / "data")["config_public_url"] == f"http://{address}:8421"


def test_ctrl_c_at_a_question_leaves_nothing(tmp_path: Path) -> None:
    command = asked_on("", tmp_path)
    with AtTerminal(command, {"PATH": os.environ["PATH"]}) as terminal:
        terminal.expect("address: ")
        terminal.send("\x03")
        assert terminal.ends() == 130
    assert b"Traceback" not in terminal.said
    assert not (tmp_path / "data").exists()


def test_flags_and_variables_win_over_what_was_written(tmp_path: Path) -> None:
    assert initialised(tmp_path) == 0
    flags = {"data": str(tmp_path / "data"), "config_public_url": "http://10.0.0.2:1"}
    settings = read_settings(flags, {"MUSTER_PLATFORM_LISTEN": "127.0.0.1:7"})
    assert settings.config_public_url == "http://10.0.0.2:1"
    assert settings.platform_listen.port == 7
    assert [a.host for a in settings.config_listens] == ["127.0.0.5"]


def test_serving_this_machine_alone_says_so(tmp_path: Path) -> None:
    options = [f"--{role}-listen=127.0.0.1:0" for role in ("portal", "config", "platform")]
    servers = start(tmp_path / "data", *options, "--advertise", "no")
    _, _, err = servers.stop()
    assert "no board can reach these servers" in err
    assert "muster init" in err


def test_folder_that_may_not_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write everywhere
    assert cli.main(["serve", "--data", str(tmp_path / "data")]) == 2
    assert "this user may not write to" in capsys.readouterr().err

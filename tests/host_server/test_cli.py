# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the command `muster` promise? Asked of real processes where that matters."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from host_server import cli
from host_server.cli import COMMANDS
from host_server.label import new_label, parse_label
from host_server.tokens import token_hash
from tests.host_server.config_server.field import PROFILE

READY_S = 15
ANY_PORT = ("--portal-listen", "127.0.0.1:0", "--config-listen", "127.0.0.1:0")
QUIET = ("--advertise", "no")


@dataclass
class Servers:
    """`muster serve` in a process of its own."""

    process: subprocess.Popen[str]
    lines: list[str]
    urls: dict[str, str]

    def stop(self) -> tuple[int, float, str, str]:
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, time.monotonic() - started, out, err


def start(data: Path, *options: str, ready: int = 3) -> Servers:
    process = subprocess.Popen(
        [sys.executable, "-m", "host_server", "serve", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    servers = Servers(process, [], {})
    deadline = time.monotonic() + READY_S
    while len(servers.urls) < ready and time.monotonic() < deadline:
        line = process.stdout.readline()
        if not line:
            break
        servers.lines.append(line)
        found = re.fullmatch(r"(\w+) ready (http://\S+).*\n", line)
        if found:
            servers.urls[found[1]] = found[2]
    if len(servers.urls) < ready:
        process.kill()
        pytest.fail(f"not ready: {servers.lines} {process.communicate()}")
    return servers


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Servers, Path]]:
    folder = Path(tmp_path_factory.mktemp("servers"))
    options = (*ANY_PORT, *QUIET, "--platform-listen", "127.0.0.1:0")
    running = start(folder / "data", *options, "--admin-token-file", str(folder / "token"))
    yield running, folder
    code, took_s, out, err = running.stop()
    token = (folder / "token").read_text().strip()
    assert (code, out) == (0, "")
    assert took_s < 2
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


def test_serve_prints_a_line_per_role_when_it_is_ready(servers: tuple[Servers, Path]) -> None:
    assert [line.split()[0] for line in servers[0].lines] == ["platform", "config", "portal"]


def test_first_start_keeps_everything_for_the_owner_alone(servers: tuple[Servers, Path]) -> None:
    folder = servers[1]
    assert (folder / "data").stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in (folder / "data").iterdir()}
    assert {"secret.key", "config-token", "platform-token", "admin-token.sha256"} <= set(files)
    assert set(files.values()) == {0o600}
    assert (folder / "token").stat().st_mode & 0o777 == 0o600


def test_device_is_registered_from_its_label(muster: Any, profile: str) -> None:
    code, out, _ = muster("label", "new", "--json")
    label = json.loads(out)["label"]
    code, out, err = muster(
        "device", "add", "-", "--profile", "press", "--name", "press 4", stdin=label + "\n"
    )
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line[0] for line in lines[1:10]] == [str(n) for n in range(1, 10)]
    assert lines[1].split()[-3:-1] == ["ok", "0"]
    device_id = parse_label(label).device_id
    assert device_id in muster("device", "list")[1]
    shown = json.loads(muster("device", "show", device_id, "--json")[1])
    assert (shown["state"], shown["last"]) == ("prepared", None)
    assert muster("device", "open", device_id)[0] == 0
    assert muster("device", "release", device_id)[0] == 0
    assert muster("device", "show", device_id)[0] == 1


def test_mistyped_label_is_refused_with_the_reason(muster: Any, profile: str) -> None:
    label = new_label().qr_text
    wrong = label[:-1] + ("A" if label[-1] != "A" else "B")
    code, out, err = muster("device", "add", wrong, "--profile", "press")
    assert (code, out) == (1, "")
    assert "mistyped" in err
    assert label[-30:-4] not in err


def test_profile_can_be_listed_and_shown_without_its_password(muster: Any, profile: str) -> None:
    assert muster("profile", "list")[1] == "press\n"
    out = muster("profile", "show", "press")[1]
    assert json.loads(out)["networks"][0]["psk_set"] is True
    assert "correct horse" not in out
    code, _, err = muster("profile", "add", profile)
    assert code == 1
    assert "already" in err


def test_wrong_profile_names_its_field(muster: Any, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(PROFILE | {"country": "x"}))
    code, _, err = muster("profile", "add", str(file), "--replace")
    assert code == 1
    assert "country: wanted two capital letters" in err


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"name": 5}'])
def test_file_that_is_no_profile_is_a_matter_of_usage(
    muster: Any, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text)
    code, _, err = muster("profile", "add", str(file))
    assert code == 2
    assert "wrong.json" in err
    assert muster("profile", "add", str(tmp_path / "none.json"))[0] == 2


def test_vendors_list_is_imported_with_a_verdict_for_each(muster: Any, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    good = [new_label().qr_text for _ in range(2)]
    file.write_text("serial,label\n1," + good[0] + "\n2," + good[1] + "\n")
    code, out, _ = muster("device", "import", str(file))
    assert (code, out.count("added")) == (0, 2)
    code, out, _ = muster("device", "import", "-", stdin=good[0] + "\n" + good[1][:-1] + "\n")
    assert (code, out.count("known"), out.count("refused")) == (1, 1, 1)


# what scripts can rely on


def test_unreachable_portal_is_exit_code_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_TOKEN", "t" * 40)
    assert cli.main(["device", "list", "--portal", "http://127.0.0.1:9"]) == 3
    assert "t" * 40 not in capsys.readouterr().err


def test_missing_and_wrong_token_are_exit_code_4(
    muster: Any, servers: tuple[Servers, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["device", "list"]) == 4
    monkeypatch.setenv("MUSTER_TOKEN", "t" * 40)
    assert cli.main(["device", "list"]) == 4


@pytest.mark.parametrize(
    "words",
    [
        ["device", "list", "--portal", "http://portal.example"],
        ["device", "list", "--portal", "nonsense"],
        ["device", "list", "--token-file", "/no/such/file"],
        ["serve", "--portal-listen", "nonsense"],
    ],
)
def test_wrong_option_is_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_TOKEN", "t" * 40)
    assert cli.main(words) == 2
    assert "--" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["nonsense"], ["device"], ["device", "add"]])
def test_command_that_is_none_is_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    capsys.readouterr()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_every_command_has_help_with_examples(
    command: cli.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*command.words, "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert "examples:" in out
    assert "muster " + " ".join(command.words) in out


def test_exit_codes_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    for code in (cli.OK, cli.REFUSED, cli.USAGE, cli.UNREACHABLE, cli.UNAUTHORIZED):
        assert f"\n  {code}  " in out


def test_new_label_shows_text_and_qr_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["label", "new", "--id", "press-4"]) == 0
    out = capsys.readouterr().out
    label = parse_label(out.rsplit(maxsplit=1)[-1])
    assert label.device_id == "PRESS-4"
    assert label.grouped in out
    assert label.setup_passphrase in out
    assert "▄" in out


def test_label_with_an_id_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["label", "new", "--id", "a b"]) == 1
    assert "1 to 32 characters" in capsys.readouterr().err


# starting and stopping


def test_administrators_token_is_shown_at_the_first_start_only(tmp_path: Path) -> None:
    options = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    first = start(tmp_path / "data", *options, ready=1)
    assert first.stop()[0] == 0
    (told,) = [line for line in first.lines if "administrator's token" in line]
    assert re.search(r"mst_[\w-]{43}$", told.strip())
    second = start(tmp_path / "data", *options, ready=1)
    assert second.stop()[0] == 0
    assert len(second.lines) == 1
    kept = (tmp_path / "data" / "admin-token.sha256").read_text()
    assert told.strip().rsplit(maxsplit=1)[-1] not in kept


def test_administrator_may_bring_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("brought-by-the-administrator-himself")
    options = ("--data", str(tmp_path / "data"), "--admin-token-file", str(file))
    only = ("--role", "portal", "--portal-listen", "127.0.0.1:0")
    portal = start(tmp_path / "data", *only, *options[2:], ready=1)
    assert portal.stop()[0] == 0
    assert len(portal.lines) == 1
    kept = (tmp_path / "data" / "admin-token.sha256").read_text().strip()
    assert kept == token_hash("brought-by-the-administrator-himself")
    file.write_text("another-one-that-is-not-the-first-one")
    refused = run_serve(*options, *only)
    assert refused.returncode == 2
    assert "is not the administrator's token" in refused.stderr


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


def test_portal_refuses_a_configuration_server_elsewhere_without_https(tmp_path: Path) -> None:
    options = ("--role", "portal", "--config-url", "http://10.0.0.1:8421")
    process = run_serve("--data", str(tmp_path), *options)
    assert process.returncode == 2
    assert "--config-url: wanted https" in process.stderr


def test_server_on_all_addresses_must_be_told_its_own(tmp_path: Path) -> None:
    options = ("--role", "config", "--config-listen", "0.0.0.0:0", *QUIET)
    process = run_serve("--data", str(tmp_path), *options)
    assert process.returncode == 2
    assert "--config-public-url: needed" in process.stderr


def test_roles_in_processes_of_their_own_work_together(tmp_path: Path) -> None:
    data, token = tmp_path / "data", tmp_path / "token"
    data.mkdir(0o700)
    platform = start(data, "--role", "platform", "--platform-listen", "127.0.0.1:0", ready=1)
    admin = platform.lines[0].split()[-1]
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
        token.write_text(admin)
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


def run_serve(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "host_server", "serve", *options],
        capture_output=True,
        text=True,
        timeout=20,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )

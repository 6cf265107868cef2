# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every command of muster-unit, on a pty and on TCP, and what it says when it cannot."""

import functools
import io
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from muster_harness.bench.bundle_link import Status
from muster_harness.cli import COMMANDS, main
from muster_harness.commands.boards import read_label
from muster_harness.commands.follow import STEPS, highlighted
from muster_harness.deploy.bundle_file import read_bundle
from muster_harness.errors import BundleRefused, LabelRefused
from muster_harness.log import shown as shown_line
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests import secrecy
from tests.children import ended
from tests.harness.conftest import write_file
from tests.wire import bundles

ROOT = Path(__file__).resolve().parents[3]
Run = pytest.CaptureFixture[str]


def shown(capsys: Run) -> Any:
    return json.loads(capsys.readouterr().out)


def info(port: str, capsys: Run) -> Any:
    capsys.readouterr()
    assert main(["info", "--port", port, "--json"]) == 0
    return shown(capsys)


def test_info_tells_what_a_board_holds(firmware_port: str, capsys: Run) -> None:
    told = info(firmware_port, capsys)
    assert (told["board"], told["firmware"], told["device_id"]) == ("EMULATED", "0.1.0", None)
    assert told["heap_free"] > 100_000
    assert main(["info", "--port", firmware_port]) == 0
    assert "identity     none; muster-unit label write" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["info", "timeline"])
def test_board_that_was_looked_into_works_on(
    firmware_board: EmulatedBoard, firmware_port: str, command: str, capsys: Run
) -> None:
    with REPL(firmware_port) as repl:
        write_file(repl, "main.py", "print('begun', 'anew')")
    main([command, "--port", firmware_port])
    assert "may stand still" not in capsys.readouterr().err
    firmware_board.expect(rb"begun anew", 10)


@pytest.mark.parametrize("read", [read_label, read_bundle])
def test_standard_input_is_read_only_so_far(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[str], object]
) -> None:
    class Endless(io.StringIO):
        def read(self, size: int | None = -1) -> str:
            assert size is not None and 0 < size < 1 << 20
            return "x" * size

    monkeypatch.setattr("sys.stdin", Endless())
    with pytest.raises((LabelRefused, BundleRefused)):
        read("-")


def test_a_bundle_that_is_not_waited_for_has_its_json_too(
    tmp_path: Path, capsys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    trying = Status("PRESS-4", 6, "trying", 7, None, None, "0123456789abcdef")
    link = MagicMock()
    link.return_value.__enter__.return_value.status.return_value = trying
    monkeypatch.setattr("muster_harness.commands.bundles.BundleLink", link)
    (tmp_path / "PRESS-4.muster").write_text(bundles.made())
    words = [
        "bundle",
        "send",
        "--port",
        "/dev/null",
        "--no-wait",
        str(tmp_path / "PRESS-4.muster"),
    ]
    assert main([*words, "--json"]) == 0
    assert shown(capsys) == asdict(trying) | {"detail": ""}
    assert main(words) == 0
    assert capsys.readouterr().out == ""


def test_deploy_brings_the_firmware_and_then_finds_nothing_to_do(
    board: EmulatedBoard, capsys: Run
) -> None:
    deploy = ["deploy", "--port", board.port, "--model", "press"]
    assert main([*deploy, "--json"]) == 0
    assert "/main.py" in shown(capsys)["sent"]
    assert main(deploy) == 0
    assert "nothing was written" in capsys.readouterr().out
    with REPL(board.port) as repl:
        assert json.loads(repl.eval("open('/muster.json').read()"))["model"] == "press"


def test_deploy_writes_the_onboarding_network_without_showing_its_password(
    board: EmulatedBoard, tmp_path: Path, capsys: Run
) -> None:
    password = tmp_path / "password"
    password.write_text("a guest's passphrase\n")
    secrecy.hide("a guest's passphrase")
    network = ["--onboarding-ssid", "guests", "--onboarding-password-file", str(password)]
    assert main(["deploy", "--port", board.port, *network]) == 0
    with REPL(board.port) as repl:
        same = "__import__('json').load(open('/muster.json'))['onboarding']['ssid'] == 'guests'"
        assert repl.eval(same) is True


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["info", "--port", "/dev/ttyUSB77"], 3, "there is no port"),
        (["info", "--port", "0042"], 3, "no USB serial number '0042'"),
        (["info"], 3, "which port"),
        (["log", "--port", "socket://127.0.0.1:1"], 3, "nobody answers"),
        (["deploy", "--port", "/dev/null", "--board", "NONE"], 1, "no board file"),
        (["label", "write", "--port", "/dev/null", "--id", "a b"], 5, "device id"),
        (["emulate", "--air", "/nowhere.toml"], 1, "describes no networks"),
        (["emulate", "--tcp", "99999"], 3, "cannot listen on TCP port 99999"),
        (["emulate", "--directory", "/proc/x"], 1, "no board can live in /proc/x"),
        (["emulate", "--heap", "abc"], 1, "not 'abc'"),
        (["emulate", "--heap", "3"], 4, "is the heap too small"),
        (["info", "--port", "socket://127.0.0.1"], 3, "which port of which host"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_own_exit_code(
    arguments: list[str],
    code: int,
    words: str,
    capsys: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MUSTER_PORT", raising=False)
    monkeypatch.setattr("sys.stdin", None)
    monkeypatch.setattr("signal.signal", lambda *_: None)  # of this process
    assert main(arguments) == code
    assert words in capsys.readouterr().err


def test_the_wrong_board_and_a_silent_one_have_their_own_exit_codes(
    board: EmulatedBoard, capsys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_PORT", board.port)
    assert main(["deploy", "--board", "ESP32_GENERIC_S3"]) == 5
    master, slave = pty.openpty()
    monkeypatch.setattr(
        "muster_harness.commands.looking.REPL", functools.partial(REPL, timeout_s=0.3)
    )
    try:
        assert main(["info", "--port", os.ttyname(slave)]) == 4
    finally:
        os.close(master)
        os.close(slave)
    assert "nothing answers" in capsys.readouterr().err


def test_usage_errors_exit_with_2() -> None:
    with pytest.raises(SystemExit) as usage:
        main(["deploy", "--form", "exe"])
    assert usage.value.code == 2


def test_list_says_when_there_is_nothing(capsys: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster_harness.commands.boards.list_ports", list)
    assert main(["list"]) == 0
    assert "no USB serial port" in capsys.readouterr().out


def test_log_names_the_steps_and_tames_control_characters(
    board: EmulatedBoard, capsys: Run
) -> None:
    lines = "M 12 I step 4 ok 320ms 127.1.2.1:8421", "M 13 E step 8 wifi_auth 40ms \x1b[2J"
    program = "".join(f"print({line!r})\n" for line in lines)
    with REPL(board.port) as repl:
        repl.exec(f"with open('main.py', 'w') as f: f.write({program!r})")
    assert main(["log", "--port", board.port, "--restart", "--seconds", "0.8"]) == 0
    out = capsys.readouterr().out
    assert "[4/9] Find a network connection to it               320 ms  ok  127.1.2.1:8421" in out
    assert "[8/9] Join the operational network                   40 ms  wifi_auth  \\x1b[2J" in out


def test_steps_have_the_words_that_the_portal_uses() -> None:
    golden = json.loads((ROOT / "tests" / "wire" / "steps.json").read_text())["cases"]
    words = {case["step"]: case["words"] for case in golden}
    assert {step: name[0].lower() + name[1:] for step, name in STEPS.items()} == words


def test_colours_are_for_terminals_only() -> None:
    step = "M 1 I step 9 ok 5ms"
    assert "\x1b" not in highlighted(step, colour=False)
    assert "\x1b[32mok\x1b[0m" in highlighted(step, colour=True)
    assert shown_line(b"\x07\xff") == "\\x07\\xff"


def test_a_board_file_with_mistakes_is_told_all_of_them(tmp_path: Path, capsys: Run) -> None:
    text = (ROOT / "boards" / "ESP32_GENERIC.toml").read_text()
    for old, new in (("pin = 2 ", "pin = 34 "), ("0x1000", "0x0"), ('"10c4:ea60"', '"CP2102"')):
        text = text.replace(old, new)
    file = tmp_path / "MY_BOARD.toml"
    file.write_text(text)
    assert main(["board", "check", str(file)]) == 1
    out = capsys.readouterr().out
    assert "[led] pin 34 can only be an input" in out
    assert "esptool_offset is 0x1000" in out
    assert '"CP2102" is no USB id' in out


@pytest.mark.parametrize("path", sorted((ROOT / "boards").glob("*_*.toml")), ids=lambda p: p.stem)
def test_the_project_s_own_board_files_are_right(path: Path, capsys: Run) -> None:
    assert main(["board", "check", str(path)]) == 0, capsys.readouterr().out


def test_emulate_offers_a_board_on_a_pty_and_on_tcp(tmp_path: Path) -> None:
    air = tmp_path / "air.toml"
    air.write_text('[[access_point]]\nssid = "MUSTER-x"\n[[access_point]]\nssid = "home"\n')
    command = [sys.executable, "-m", "muster_harness", "emulate", "--air", str(air)]
    directory = tmp_path / "state"
    started = subprocess.Popen(
        [*command, "--directory", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with ended(started) as process:
        assert process.stdin and process.stdout
        told = [process.stdout.readline().split() for _ in range(4)]
        url = told[1][1]
        code = "import network; w = network.WLAN(); w.active(True); print(len(w.scan()))"
        for port in (told[0][1], url):
            mpremote = [sys.executable, "-m", "mpremote", "connect", port, "exec", code]
            done = subprocess.run(mpremote, capture_output=True, text=True, timeout=10)
            assert done.stdout == "2\n", done.stderr
        rig = directory / "rig.toml"
        assert stat.S_IMODE(rig.stat().st_mode) == 0o600
        offered = tomllib.loads(rig.read_text())
        assert [unit["port"] for unit in offered["unit"].values()] == [told[0][1], url]
        assert offered["network"]["onboarding"]["ssid"] == "MUSTER-x"
        assert offered["network"]["operational"]["ssid"] == "home"
        (directory / "control").write_text("down\nup\n")
        process.stdin.write("press\noff\nnonsense\n")
        process.stdin.flush()
        rest = [process.stdout.readline() for _ in range(6)]
        assert rest[-3:] == [
            "done\n",
            "done\n",
            "type: press [milliseconds], press twice, reset, off, on\n",
        ]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert not rig.exists()


def test_every_command_has_help_with_examples(capsys: Run) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([*command.words, "--help"])
        assert ended.value.code == 0
        assert "muster-unit " + " ".join(command.words) in capsys.readouterr().out

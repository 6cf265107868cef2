# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every command of muster-unit, on a pty and on TCP, and what it says when it cannot."""

import csv
import functools
import io
import json
import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from harness.bundle_file import read_bundle
from harness.bundle_link import Status
from harness.cli import COMMANDS, main
from harness.commands import read_label
from harness.emulated import EmulatedBoard
from harness.errors import BundleRefused, LabelRefused, PortError
from harness.follow import STEPS, highlighted
from harness.labels import Label, new_label, parse_label
from harness.log import shown as shown_line
from harness.repl import REPL
from harness.tcp_port import TCPPort
from tests import secrecy
from tests.wire import bundles

ROOT = Path(__file__).resolve().parents[2]
Run = pytest.CaptureFixture[str]


@pytest.fixture
def firmware_board(tmp_path: Path, firmware_flash: Path) -> Iterator[EmulatedBoard]:
    """A board that has the firmware and no identity, at its prompt."""
    shutil.copytree(firmware_flash, tmp_path / "unit")
    with EmulatedBoard(tmp_path / "unit", heap="512K") as board:
        board.power_on()
        board.expect(rb">>> ")
        yield board


@pytest.fixture(params=["pty", "socket"])
def port(request: pytest.FixtureRequest, firmware_board: EmulatedBoard) -> Iterator[str]:
    """That board's port, by each of its names."""
    if request.param == "pty":
        yield firmware_board.port
    else:
        with TCPPort(firmware_board.port) as tcp:
            yield tcp.url


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def labels(book: Path) -> list[Label]:
    """The labels in the book, noted as secrets."""
    found = [parse_label(row["label"]) for row in csv.DictReader(io.StringIO(book.read_text()))]
    for label in found:
        secrecy.hide_label(label.text, label.secret)
    return found


def shown(capsys: Run) -> Any:
    return json.loads(capsys.readouterr().out)


def info(port: str, capsys: Run) -> Any:
    capsys.readouterr()
    assert main(["info", "--port", port, "--json"]) == 0
    return shown(capsys)


def test_info_tells_what_a_board_holds(port: str, capsys: Run) -> None:
    told = info(port, capsys)
    assert (told["board"], told["firmware"], told["device_id"]) == ("EMULATED", "0.1.0", None)
    assert told["heap_free"] > 100_000
    assert main(["info", "--port", port]) == 0
    assert "identity     none; muster-unit label write" in capsys.readouterr().out


def test_a_label_is_written_shown_and_noted(port: str, book: Path, capsys: Run) -> None:
    write = ["label", "write", "--port", port, "--csv", str(book), "--id", "press-4"]
    assert main(write) == 0
    (label,) = labels(book)
    assert label.device_id == "PRESS-4"
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    out = capsys.readouterr().out
    assert label.text in out
    assert "█" in out or "▀" in out  # the QR code
    told = info(port, capsys)
    assert (told["device_id"], told["generation"]) == ("PRESS-4", 1)
    assert label.secret.hex() not in json.dumps(told)


def test_an_identity_is_replaced_only_if_somebody_says_so(
    firmware_board: EmulatedBoard, book: Path, capsys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = firmware_board.port
    write = ["label", "write", "--port", port, "--csv", str(book)]
    assert main([*write, "--id", "FIRST"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # nobody: no terminal
    assert main([*write, "--id", "SECOND"]) == 5
    assert "is FIRST already" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main([*write, "--id", "SECOND"]) == 5
    assert info(port, capsys)["device_id"] == "FIRST"
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main([*write, "--id", "SECOND"]) == 0
    assert main([*write, "--id", "THIRD", "--force"]) == 0
    assert [label.device_id for label in labels(book)] == ["FIRST", "SECOND", "THIRD"]
    assert info(port, capsys)["device_id"] == "THIRD"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_given_label_is_written_and_a_mistyped_one_refused(
    firmware_board: EmulatedBoard,
    tmp_path: Path,
    book: Path,
    capsys: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    label = new_label("GIVEN")
    secrecy.hide_label(label.text, label.secret)
    file = tmp_path / "label.txt"
    file.write_text(label.text + "\n")
    common = ["label", "write", "--port", firmware_board.port, "--csv", str(book)]
    assert main([*common, "--label-file", str(file)]) == 0
    assert labels(book) == [label]
    wrong = label.text[:-1] + ("A" if label.text[-1] != "A" else "B")
    monkeypatch.setattr("sys.stdin", io.StringIO(wrong))
    assert main([*common, "--label-file", "-"]) == 5
    said = capsys.readouterr().err
    assert "check characters" in said
    assert wrong[-36:] not in said


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


def test_reissuing_keeps_the_id_and_changes_the_secret(
    firmware_board: EmulatedBoard, book: Path, capsys: Run
) -> None:
    common = ["--port", firmware_board.port, "--csv", str(book)]
    assert main(["label", "reissue", *common]) == 7
    assert "has no identity" in capsys.readouterr().err
    assert main(["label", "write", *common, "--id", "PRESS-4"]) == 0
    assert main(["label", "reissue", *common]) == 5
    assert main(["label", "reissue", *common, "--force"]) == 0
    first, second = labels(book)
    assert first.device_id == second.device_id
    assert first.secret != second.secret
    assert info(firmware_board.port, capsys)["generation"] == 2


@pytest.mark.parametrize("words", [["write", "--id", "PRESS-4"], ["reissue", "--force"]])
def test_a_port_that_vanishes_while_a_label_is_compared_loses_no_secret(
    firmware_board: EmulatedBoard,
    book: Path,
    capsys: Run,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    common = ["--port", firmware_board.port, "--csv", str(book)]
    if "reissue" in words:
        assert main(["label", "write", *common, "--id", "PRESS-4"]) == 0
    capsys.readouterr()

    def pull(port: str, **given: Any) -> REPL:
        if given.get("soft_reset"):
            return REPL(port, **given)  # the look before
        raise PortError("the port vanished")

    monkeypatch.setattr("harness.labelling.REPL", pull)
    assert main(["label", *words, *common]) == 3
    said = capsys.readouterr()
    assert f"last line of {book}: write that one again with --label-file" in said.err
    assert said.out == ""
    noted = labels(book)[-1]
    with REPL(firmware_board.port) as repl:
        repl.exec("from muster import hardware, identity")
        repl.exec("who = identity.read(hardware.open_nvs('muster'))")
        assert repl.eval("(who.device_id, who.secret)") == ("PRESS-4", noted.secret)


def test_a_label_that_is_not_to_be_replaced_leaves_no_line(
    firmware_board: EmulatedBoard, book: Path
) -> None:
    write = ["label", "write", "--port", firmware_board.port, "--csv", str(book)]
    assert main([*write, "--id", "FIRST"]) == 0
    assert main([*write, "--id", "SECOND"]) == 5
    assert [label.device_id for label in labels(book)] == ["FIRST"]


def test_a_book_that_others_can_read_is_refused_before_anything_is_written(
    firmware_board: EmulatedBoard, book: Path, capsys: Run
) -> None:
    book.write_text("")
    book.chmod(0o644)
    assert main(["label", "write", "--port", firmware_board.port, "--csv", str(book)]) == 1
    assert f"chmod 600 {book}" in capsys.readouterr().err
    assert info(firmware_board.port, capsys)["device_id"] is None


def test_a_label_for_a_board_without_firmware_names_the_cure(
    board: EmulatedBoard, book: Path, capsys: Run
) -> None:
    assert main(["label", "write", "--port", board.port, "--csv", str(book)]) == 7
    assert f"muster-unit deploy --port {board.port} first" in capsys.readouterr().err


def test_a_bundle_that_is_not_waited_for_has_its_json_too(
    tmp_path: Path, capsys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    trying = Status("PRESS-4", 6, "trying", 7, None, None, "0123456789abcdef")
    link = MagicMock()
    link.return_value.__enter__.return_value.status.return_value = trying
    monkeypatch.setattr("harness.bundle_commands.BundleLink", link)
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
    monkeypatch.setattr("harness.commands.REPL", functools.partial(REPL, timeout_s=0.3))
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
    monkeypatch.setattr("harness.commands.list_ports", list)
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
    assert "[4/9] Find the configuration server        320 ms  ok  127.1.2.1:8421" in out
    assert "[8/9] Join the operational network          40 ms  wifi_auth  \\x1b[2J" in out


def test_colours_are_for_terminals_only() -> None:
    step = "M 1 I step 9 ok 5ms"
    assert "\x1b" not in highlighted(step, colour=False)
    assert "\x1b[32mok\x1b[0m" in highlighted(step, colour=True)
    assert shown_line(b"\x07\xff") == "\\x07\\xff"
    assert set(STEPS) == set(range(1, 10))


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
    command = [sys.executable, "-m", "harness", "emulate", "--air", str(air)]
    directory = tmp_path / "state"
    with subprocess.Popen(
        [*command, "--directory", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        killer = threading.Timer(20, process.kill)
        killer.start()
        assert process.stdin and process.stdout
        try:
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
                "type: press [milliseconds], reset, off, on\n",
            ]
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
            assert not rig.exists()
        finally:
            killer.cancel()
            process.kill()


def test_every_command_has_help_with_examples(capsys: Run) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([*command.words, "--help"])
        assert ended.value.code == 0
        assert "muster-unit " + " ".join(command.words) in capsys.readouterr().out

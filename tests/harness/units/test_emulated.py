# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The emulated board as an object: its port, its output, its end, and many of them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial

from muster_harness.air.air import Air
from muster_harness.errors import AirError, ExpectTimeout, HarnessError, InterpreterError
from muster_harness.esp32.interpreter import find_interpreter
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.pool import what_is_lacking

ORPHAN = """
import sys, time
from muster_harness.units.emulated import EmulatedBoard
with EmulatedBoard(sys.argv[1]) as board:
    board.power_on()
    board.expect(rb">>> ")
    board.write(b"while True: pass\\r\\r")
    print(board._supervisor._run.child.pid, flush=True)
    time.sleep(60)
"""


def test_expect_fails_with_pattern_last_lines_and_log(board: EmulatedBoard) -> None:
    board.write(b"print('the last' + ' words')\r")
    with pytest.raises(ExpectTimeout) as caught:
        board.expect(rb"never", 0.1)
    text = str(caught.value)
    assert "b'never'" in text
    assert "| the last words" in text
    assert str(board.log_path) in text


def test_expect_reads_on_after_its_last_match(board: EmulatedBoard) -> None:
    board.write(b"for i in range(3): print('n', i)\r\r")
    assert [board.expect(rb"^n (\d)\r\n")[1] for _ in range(3)] == [b"0", b"1", b"2"]


def test_the_port_stays_over_power_cycles(board: EmulatedBoard) -> None:
    with serial.Serial(board.port, timeout=2) as port:
        board.power_off()
        board.power_on()
        assert port.read_until(b">>> ").endswith(b">>> ")
        port.write(b"1 + 1\r")
        assert port.read_until(b"2\r\n").endswith(b"2\r\n")


def test_a_board_that_floods_an_unread_port_stays_in_control(board: EmulatedBoard) -> None:
    board.write(b"while True: print('flood ' * 50)\r\r")
    time.sleep(0.6)
    board.forget_output()
    board.write(b"\x03")
    board.expect(rb"KeyboardInterrupt: \r\n>>> ", 5)


def test_a_slow_reader_of_the_port_loses_nothing(board: EmulatedBoard) -> None:
    with serial.Serial(board.port, timeout=5) as port:
        port.write(b"for i in range(8000): print('%07d' % i)\r\r")
        port.read_until(b"0000000\r\n")
        for i in range(1, 8000):
            if i % 3000 == 0:
                time.sleep(0.05)
            assert port.readline() == b"%07d\r\n" % i


def test_many_boards_boot_at_once(tmp_path: Path, air: Air) -> None:
    boards = [EmulatedBoard(tmp_path / str(i), air=air) for i in range(8)]
    try:
        for board in boards:
            board.power_on()
        for board in boards:
            board.expect(rb">>> ")
        assert len({board.port for board in boards}) == 8
    finally:
        for board in boards:
            board.close()


def test_two_boards_cannot_share_a_directory(off_board: EmulatedBoard) -> None:
    with pytest.raises(HarnessError, match="in use by another board"):
        EmulatedBoard(off_board.log_path.parent)


def test_the_interpreter_dies_with_its_supervisor(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(tmp_path / "board")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.kill()
        parent.wait(5)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}/cmdline").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{child}/cmdline").exists()


def test_a_wrong_interpreter_is_an_error_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON", "/absent/micropython")
    with pytest.raises(InterpreterError, match=r"\$MICROPYTHON is '/absent/micropython'"):
        find_interpreter()
    monkeypatch.setenv("MICROPYTHON", sys.executable)
    assert find_interpreter().origin == "$MICROPYTHON"


@pytest.mark.parametrize(
    ("system", "machine", "said"),
    [
        ("Darwin", "arm64", "needs Linux, this is Darwin; .*container: podman build.*PORT"),
        ("Windows", "AMD64", "needs Linux, this is Windows; .*container: podman build.*PORT"),
        ("Linux", "aarch64", "for Linux on aarch64: .*build MicroPython.*MICROPYTHON"),
        ("Linux", "x86_64", "not installed in this Python, .*pip install"),
    ],
)
def test_a_host_without_an_interpreter_is_told_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, said: str
) -> None:
    monkeypatch.delenv("MICROPYTHON", raising=False)
    names = {"Darwin": "darwin", "Windows": "win32", "Linux": "linux"}
    monkeypatch.setattr(sys, "platform", names[system])
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InterpreterError, match=said):
        find_interpreter()
    if machine == "aarch64":  # one's own is taken there, too
        monkeypatch.setenv("MICROPYTHON", sys.executable)
        assert find_interpreter().origin == "$MICROPYTHON"


def test_a_run_says_at_its_start_what_this_host_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert what_is_lacking(["emulated"]) is None
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "needs Linux" in (what_is_lacking(["emulated"]) or "")
    assert what_is_lacking(["/dev/cu.usbserial-1"]) is None


def test_an_interpreter_that_is_too_old_is_named_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "micropython"
    old.write_text("#!/bin/sh\nexit 27\n")
    old.chmod(0o755)
    monkeypatch.setenv("MICROPYTHON", str(old))
    with EmulatedBoard(tmp_path / "board") as board:
        board.power_on()
        with pytest.raises(HarnessError, match="too old"):
            board.expect(rb">>> ", 2)


def test_something_else_than_micropython_does_not_boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROPYTHON", "/bin/false")
    with EmulatedBoard(tmp_path / "board") as board:
        board.power_on()
        with pytest.raises(HarnessError, match="not a unix port"):
            board.expect(rb">>> ", 2)


def test_access_points_have_ranges_of_their_own(air: Air) -> None:
    points = [air.add_access_point(f"net {i}") for i in range(20)]
    assert len({point.network for point in points}) == 20
    with pytest.raises(AirError, match="1 to 32 bytes"):
        air.add_access_point("x" * 33)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with EmulatedBoard(tmp_path / "board") as board:
        board.power_on()
        board.expect(rb">>> ")
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.parametrize("content", ["{", "[]", '{"muster": 7}'])
@pytest.mark.parametrize("name", ["nvs.json", "efuse"])
def test_a_damaged_file_is_named_and_nothing_of_the_board_stays(
    tmp_path: Path, air: Air, name: str, content: str
) -> None:
    with EmulatedBoard(tmp_path / "board", air=air):
        pass
    good = (tmp_path / "board" / "efuse").read_text() if name == "efuse" else "{}"
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    (tmp_path / "board" / name).write_text(content)
    for _ in range(2):
        with pytest.raises(HarnessError, match=f"{name} (is damaged|holds no).*remove it"):
            EmulatedBoard(tmp_path / "board", air=air)
    assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
    (tmp_path / "board" / name).write_text(good)
    EmulatedBoard(tmp_path / "board", air=air).close()


def test_a_port_that_is_open_and_not_read_for_a_while_loses_nothing(board: EmulatedBoard) -> None:
    with serial.Serial(board.port, timeout=60) as port:
        port.write(b"for i in range(12000): print('%07d' % i)\r\r")
        time.sleep(0.6)
        assert port.read_until(b"0011999\r\n").count(b"\r\n") >= 12000

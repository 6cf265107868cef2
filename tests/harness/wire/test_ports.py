# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A port that cannot be used, or that has something else behind it, is named with the cure."""

import contextlib
import fcntl
import os
import pty
import threading
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports as usb
from serial.tools.list_ports_common import ListPortInfo

from muster_harness.cli import main
from muster_harness.errors import BoardError, NotMicroPython, PortError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.ports import find_port, list_ports, open_port
from muster_harness.wire.prompt import enter_raw
from muster_harness.wire.repl import REPL
from muster_harness.wire.tcp_port import TCPPort

Answer = Callable[[bytes], bytes]
_END_S = 10.0
_AN_HOUR_S = 3600.0  # who does not stop at once is stopped by the test's own deadline


def device(path: str, serial_number: str, vid: int, pid: int) -> ListPortInfo:
    made = ListPortInfo(path, skip_link_detection=True)
    made.serial_number, made.vid, made.pid = serial_number, vid, pid
    made.description = "made up"
    return made


@pytest.fixture
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two USB serial ports and one that is not USB."""
    ports = [device("/dev/ttyUSB0", "0001", 0x10C4, 0xEA60)]
    ports += [device("/dev/ttyACM0", "34:85:18", 0x303A, 0x1001), ListPortInfo("/dev/ttyS0")]
    monkeypatch.setattr(usb, "comports", lambda: ports)


@pytest.fixture
def stranger() -> Iterator[Callable[[Answer], str]]:
    """Puts something that is no MicroPython board behind a pty; the pty's path."""
    ends: list[Callable[[], None]] = []

    def put(answer: Answer) -> str:
        master, slave = pty.openpty()
        tty.setraw(slave)
        stop = threading.Event()

        def run() -> None:
            os.set_blocking(master, False)
            while not stop.wait(0.005):
                try:
                    data = os.read(master, 256)
                except BlockingIOError:
                    data = b""
                with contextlib.suppress(BlockingIOError):
                    os.write(master, answer(data))

        def end() -> None:
            stop.set()
            thread.join(_END_S)
            assert not thread.is_alive()
            os.close(master)
            os.close(slave)

        thread = threading.Thread(target=run)
        thread.start()
        ends.append(end)
        return os.ttyname(slave)

    yield put
    for end in ends:
        end()


@pytest.mark.usefixtures("plugged_in")
def test_usb_ports_are_listed_with_the_boards_that_may_be_there() -> None:
    acm, uart = list_ports()
    assert (uart.path, uart.usb_id, uart.serial_number) == ("/dev/ttyUSB0", "10c4:ea60", "0001")
    assert "ESP32_GENERIC" in uart.boards
    assert set(acm.boards) >= {"ESP32_GENERIC_C3", "ESP32_GENERIC_C6", "SEEED_XIAO_ESP32C3"}
    assert "EMULATED" not in uart.boards + acm.boards


@pytest.mark.usefixtures("plugged_in")
def test_a_port_is_found_by_path_by_serial_number_and_by_url() -> None:
    assert find_port("34:85:18") == "/dev/ttyACM0"
    assert find_port("id:0001") == "/dev/ttyUSB0"
    for port in ("/dev/ttyUSB9", "socket://host:1", "rfc2217://host:1"):
        assert find_port(port) == port


@pytest.mark.usefixtures("plugged_in")
def test_a_port_that_nobody_knows_is_named_with_those_there_are() -> None:
    with pytest.raises(PortError, match=r"'0002'; there are /dev/ttyACM0 \(34:85:18\)"):
        find_port("0002")
    with pytest.raises(PortError, match="ftp://; use socket:// or rfc2217://"):
        find_port("ftp://host")


def test_an_absent_port_is_named() -> None:
    with pytest.raises(PortError, match="no port /dev/ttyUSB77"), REPL("/dev/ttyUSB77"):
        pass
    with pytest.raises(PortError, match="nobody answers at socket"), REPL("socket://127.0.0.1:1"):
        pass


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(PortError, match="no serial port that can be used"),
        REPL(f"{tmp_path}/file"),
    ):
        pass


def test_a_busy_port_is_named_with_the_program_that_holds_it(board: EmulatedBoard) -> None:
    with (
        serial.Serial(board.port, exclusive=True),
        pytest.raises(PortError, match=r"is in use by .*process \d+.*terminal"),
        REPL(board.port),
    ):
        pass
    with REPL(board.port) as repl:
        assert repl.eval("1 + 1") == 2


def test_a_port_without_permission_says_which_group_helps(
    board: EmulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("serial.serialposix.os.open", refuse)
    with pytest.raises(PortError, match="dialout"), REPL(board.port):
        pass


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda data: b"", "nothing answers"),
        (lambda data: data, "nothing answers"),
        (lambda data: b"\xf3\x9e\x07garbage" * 20, "no MicroPython board.*garbage"),
        (lambda data: b"AT+OK\r\n" if data else b"", "no MicroPython board.*AT.OK"),
        (lambda data: b"waiting for download\r\n" if data else b"", "boot button"),
    ],
    ids=["silent", "echo", "garbage without end", "modem", "boot loader"],
)
def test_what_is_no_micropython_board_is_told_within_the_deadline(
    stranger: Callable[[Answer], str], answer: Answer, words: str
) -> None:
    began = time.monotonic()
    timeout_s = 1.2 if "garbage" in words else 0.4
    with pytest.raises(NotMicroPython, match=words), REPL(stranger(answer), timeout_s=timeout_s):
        pass
    assert time.monotonic() - began < 30  # REPL's usual deadlines are longer together


class Stale:
    """A transport whose port still holds what was said to somebody else."""

    def __init__(self) -> None:
        self.serial, self.in_raw_repl = self, False
        self._data = b"an old raw REPL; CTRL-B to exit\r\n>"
        self.timeout = 0.0

    @property
    def in_waiting(self) -> int:
        return len(self._data)

    def read(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data

    def write(self, data: bytes) -> None:
        if data == b"\r\x01":
            self._data += b"\r\nraw REPL; CTRL-B to exit\r\n>"


def test_what_was_said_before_is_no_answer() -> None:
    transport = Stale()
    enter_raw(transport, "a port", soft_reset=False, timeout_s=30)
    assert transport.read(100) == b">"


def test_a_corrupted_filesystem_is_told_at_once(
    off_board: EmulatedBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    rotten = b"\0" * 16384 + off_board.read_flash().image[16384:]
    off_board.write_flash(replace(off_board.read_flash(), image=rotten))
    off_board.power_on()
    off_board.expect(rb"corrupted")
    with REPL(off_board.port) as repl:  # who wants no files is served
        assert repl.eval("6 * 7") == 42
    assert main(["deploy", "--port", off_board.port]) == 4
    said = capsys.readouterr().err
    assert "its filesystem is corrupted; save what you need" in said
    with (
        pytest.raises(BoardError, match="its filesystem is corrupted"),
        REPL(off_board.port, soft_reset=True, timeout_s=_AN_HOUR_S),
    ):
        pass


def test_so_it_is_where_ctrl_c_does_not_end_that(stranger: Callable[[Answer], str]) -> None:
    said: list[str] = []
    port = stranger(lambda data: b"The filesystem appears to be corrupted.\r\n" if data else b"")
    with (
        pytest.raises(BoardError, match="erase the flash"),
        REPL(port, timeout_s=_AN_HOUR_S, say=said.append),
    ):
        pass
    assert said == []


def test_a_port_that_vanishes_in_the_middle_is_named(off_board: EmulatedBoard) -> None:
    off_board.power_on()
    off_board.expect(rb">>> ")
    with pytest.raises(PortError, match="vanished"), REPL(off_board.port) as repl:
        threading.Timer(0.2, off_board.close).start()
        repl.exec("import time; time.sleep(5)")


SWALLOWS = """
import time
while True:
    try:
        print("M 1 I main busy")
        while True:
            time.sleep(0.05)
    except KeyboardInterrupt:
        pass
"""


def swallow(board: EmulatedBoard) -> None:
    with REPL(board.port) as repl:
        repl.exec(f"with open('main.py', 'w') as f: f.write({SWALLOWS!r})")
    board.forget_output()
    board.reset()
    board.expect(rb"main busy")


def test_a_main_that_swallows_ctrl_c_is_stopped_by_the_reset_button(
    board: EmulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster_harness.wire.prompt._ASK_AFTER_S", 0.3)
    swallow(board)
    asked: list[str] = []

    def press_reset(text: str) -> None:
        asked.append(text)
        threading.Timer(0.1, board.reset).start()

    with REPL(board.port, say=press_reset) as repl:
        assert repl.eval("1 + 1") == 2
    assert len(asked) == 1
    assert "press the board's reset button now" in asked[0]


def test_a_main_that_swallows_ctrl_c_is_told_apart_from_a_dead_board(board: EmulatedBoard) -> None:
    swallow(board)
    with pytest.raises(BoardError, match="does not let go"), REPL(board.port, timeout_s=1.2):
        pass


def test_a_board_that_is_just_booting_is_waited_for(board: EmulatedBoard) -> None:
    board.power_off()
    threading.Timer(1.1, board.power_on).start()
    with REPL(board.port) as repl:
        assert repl.eval("1 + 1") == 2


def test_a_socket_port_serves_one_client_after_the_other(board: EmulatedBoard) -> None:
    with TCPPort(board.port) as tcp:
        for number in range(2):
            with REPL(tcp.url) as repl:
                assert repl.eval(f"{number} + 1") == number + 1


def test_a_socket_port_whose_board_is_in_use_turns_clients_away(board: EmulatedBoard) -> None:
    with TCPPort(board.port) as tcp, Path(board.port).open("rb+", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PortError, match="another program connected"), REPL(tcp.url):
            pass


def test_a_socket_port_that_vanishes_in_the_middle_is_named(board: EmulatedBoard) -> None:
    vanishes = pytest.raises(PortError, match="vanished")
    with TCPPort(board.port) as tcp, vanishes, REPL(tcp.url) as repl:
        threading.Timer(0.2, tcp.close).start()
        repl.exec("import time; time.sleep(5)")


def test_a_second_client_is_turned_away_and_a_successor_is_not(board: EmulatedBoard) -> None:
    with TCPPort(board.port) as tcp:
        with REPL(tcp.url) as first:
            with (
                pytest.raises(PortError, match="is another program connected to it"),
                REPL(tcp.url, timeout_s=_AN_HOUR_S),
            ):
                pass
            assert first.eval("6 * 7") == 42
        for _ in range(5):
            with REPL(tcp.url) as next_one:
                assert next_one.eval("6 * 7") == 42


@pytest.mark.parametrize(
    "url", ["socket://127.0.0.1", "socket://:4000", "rfc2217://bench:port", "socket://a:99999"]
)
def test_a_url_without_a_port_is_told_how_it_is_written(url: str) -> None:
    for opened in (
        find_port,
        lambda url: open_port(url, 0.1, 0.1),
        lambda url: REPL(url).__enter__(),
    ):
        with pytest.raises(PortError, match=r"which port of which host; write e\.g\. \w+://127"):
            opened(url)

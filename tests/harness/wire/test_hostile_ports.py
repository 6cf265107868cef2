# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Ports that vanish, hang or flood, and boards that do: a typed error and no hang."""

import contextlib
import os
import signal
import socket
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial.tools import list_ports as usb
from serial.tools.list_ports_common import ListPortInfo

from muster_harness.bench import bundle_link
from muster_harness.commands.follow import follow
from muster_harness.errors import BoardError, ExpectTimeout, Flooded, PortError
from muster_harness.log import Log
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.serial_unit import SerialUnit
from muster_harness.wire.deadline import Guarded
from muster_harness.wire.repl import REPL
from muster_harness.wire.tcp_port import TCPPort

MIB = 1 << 20  # more than the kernel keeps of a pty
FLOOD = "while True:\n  try:\n    print('x' * 200)\n  except KeyboardInterrupt: pass\n"


@pytest.fixture
def unit(board: EmulatedBoard, tmp_path: Path) -> Iterator[SerialUnit]:
    with SerialUnit(board.port, tmp_path / "unit.log") as unit:
        yield unit


class Cable:
    """A pty whose far end can be pulled out."""

    def __init__(self) -> None:
        self.far, self._near = os.openpty()
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)

    def pull(self) -> None:
        os.close(self.far)
        os.close(self._near)


def test_a_port_that_vanishes_ends_the_wait_for_a_pattern(tmp_path: Path) -> None:
    cable = Cable()
    with SerialUnit(cable.path, tmp_path / "unit.log") as unit:
        unit.listen()
        os.write(cable.far, b"the last words\r\n")
        unit.expect(rb"words")
        threading.Timer(0.1, cable.pull).start()
        with pytest.raises(PortError, match=r"vanished[^|]*\| the last words") as caught:
            unit.expect(rb"never", timeout_s=30)
    assert str(tmp_path / "unit.log") in str(caught.value)
    assert "vanished" in (tmp_path / "unit.log").read_text()


def test_a_port_that_vanishes_ends_an_exec(board: EmulatedBoard, tmp_path: Path) -> None:
    with TCPPort(board.port) as tcp, SerialUnit(tcp.url, tmp_path / "unit.log") as unit:
        unit.exec("import time")
        threading.Timer(0.2, tcp.close).start()
        with pytest.raises(PortError, match=r"vanished.*Plug it in"):
            unit.exec("time.sleep(30)", timeout_s=40)
        with pytest.raises(PortError, match="nobody answers"):
            unit.exec("1")


def test_a_unit_with_a_usb_serial_number_is_found_again_under_another_path(
    board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cable = Cable()
    plugged = ListPortInfo(cable.path, skip_link_detection=True)
    plugged.vid, plugged.pid, plugged.serial_number = 0x303A, 0x1001, "F412FA"
    monkeypatch.setattr(usb, "comports", lambda: [plugged])
    with SerialUnit("id:F412FA", tmp_path / "unit.log") as unit:
        unit.listen()
        assert unit.port == cable.path
        cable.pull()
        with pytest.raises(PortError):
            unit.expect(rb"never", timeout_s=30)
        plugged.device = board.port  # it has enumerated again
        assert unit.eval("6 * 7") == 42
        assert unit.port == board.port


def test_a_pattern_is_waited_for_at_a_port_that_is_there_again(
    board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cable = Cable()
    ports = [cable.path]
    monkeypatch.setattr("muster_harness.units.serial_unit.find_port", lambda wanted: ports[0])
    with SerialUnit("id:F412FA", tmp_path / "unit.log") as unit:
        unit.listen()
        os.write(cable.far, b"the last words\r\n")
        unit.expect(rb"the last")
        cable.pull()
        with pytest.raises(PortError, match="vanished"):
            unit.expect(rb"never", timeout_s=30)
        unit.expect(rb"words")  # which came before that
        with pytest.raises(PortError, match="the last words"):
            unit.expect(rb"never", timeout_s=30)
        ports[0] = board.port
        threading.Timer(0.2, board.write, (b"print('ba' + 'ck')\r",)).start()
        unit.expect(rb"back", timeout_s=30)


def test_a_board_that_floods_its_port_and_swallows_ctrl_c_is_told_so(
    board: EmulatedBoard, unit: SerialUnit
) -> None:
    with unit.repl() as repl:
        repl.exec(f"with open('main.py', 'w') as f: f.write({FLOOD!r})")
    unit.reset()
    unit.expect(rb"xxxx")
    began = time.monotonic()
    with pytest.raises(Flooded, match=r"floods it with .*xxx.*reset button"):
        unit.exec("1", timeout_s=1.5)
    with pytest.raises(ExpectTimeout, match="never"):
        unit.expect(rb"never", timeout_s=0.5)
    assert time.monotonic() - began < 30
    assert len(unit.output) < 2 << 20


def test_code_that_prints_for_ever_is_ended(unit: SerialUnit) -> None:
    began = time.monotonic()
    with pytest.raises(Flooded, match=r"printing for 0.5 s.*longest_s"):
        unit.exec("while True: print('x' * 50)", longest_s=0.5)
    assert time.monotonic() - began < 20
    assert unit.eval("6 * 7") == 42  # and the board is still of use


def test_code_that_falls_silent_has_not_flooded(unit: SerialUnit) -> None:
    with pytest.raises(BoardError, match=r"did not finish: nothing came for"):
        unit.exec("import time; print('x'); time.sleep(4)", timeout_s=3, longest_s=2)


@pytest.mark.parametrize("way", ["its own port", "a unit's"])
def test_a_board_that_stands_still_for_a_while_is_waited_for(
    board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(
        "muster_harness.wire.repl._PROMPT_S", 0.05
    )  # of a busy host's 0.3 s it is as 1 s of 6
    with SerialUnit(board.port, tmp_path / "unit.log") as unit:
        one = board if way == "its own port" else unit
        with one.repl(timeout_s=30) as repl:
            pid = board._supervisor._run.child.pid  # type: ignore[union-attr]
            for _ in range(2):
                os.kill(pid, signal.SIGSTOP)
                threading.Timer(0.3, os.kill, (pid, signal.SIGCONT)).start()
                assert repl.eval("6 * 7") == 42


def test_a_repl_at_a_port_that_takes_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("muster_harness.wire.repl._WRITE_S", 0.1)
    monkeypatch.setattr(
        "muster_harness.wire.repl.enter_raw",
        lambda transport, *_, **__: transport.serial.write(b"x" * MIB),
    )
    cable = Cable()
    with pytest.raises(PortError, match="took nothing for 0.1 s"), REPL(cable.path):
        pass
    cable.pull()


def test_a_log_is_not_followed_at_a_port_that_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("muster_harness.commands.follow._WRITE_S", 0.1)
    monkeypatch.setattr(
        "muster_harness.commands.follow.restart_program", lambda line: line.write(b"x" * MIB)
    )
    cable = Cable()
    with pytest.raises(PortError, match="took nothing for 0.1 s"):
        next(follow(cable.path, seconds=1, restart=True))
    cable.pull()


def test_a_bridge_to_a_port_that_takes_nothing_can_be_closed() -> None:
    cable = Cable()
    tcp = TCPPort(cable.path)
    with socket.create_connection(("127.0.0.1", int(tcp.url.rpartition(":")[2]))) as client:
        client.settimeout(0.2)
        with contextlib.suppress(TimeoutError):  # until all buffers are full
            while True:
                client.sendall(b"x" * 65536)
        closing = threading.Thread(target=tcp.close, daemon=True)
        closing.start()
        closing.join(30)
    cable.pull()
    assert not tcp._thread.is_alive()


class Trickle:
    """A port whose reads give a byte at most, and nothing before each."""

    def __init__(self, data: bytes) -> None:
        self._data = [b for byte in data for b in (b"", bytes([byte]))]

    def read(self, size: int) -> bytes:
        return self._data.pop(0) if self._data else b""


def test_a_read_waits_for_all_that_it_wants_and_for_nothing_only_so_long() -> None:
    port = Guarded(Trickle(b"R\x01"), "a port", timeout=30)
    with port.at_most(60):
        assert port.read(2) == b"R\x01"
    port.timeout = 0.01
    assert port.read(1) == b""
    with port.at_most(60), pytest.raises(BoardError, match="did not finish: nothing came for"):
        port.read(1)


def test_a_silent_program_is_waited_for_only_so_long(unit: SerialUnit) -> None:
    with pytest.raises(BoardError, match="did not finish"):
        unit.exec("import time; time.sleep(30)", timeout_s=0.3)


def test_a_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = Log(tmp_path / "test.log", most_bytes=1000)
    for _ in range(100):
        log.note("server", "twenty characters...")
    log.close()
    text = log.path.read_text()
    assert len(text) < 1200
    assert "more lines)" in text


def test_a_port_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    absent = SerialUnit("/dev/pts/absent", tmp_path / "unit.log")
    with absent, pytest.raises(PortError, match="there is no port"):
        absent.exec("1")


def test_a_device_that_takes_nothing_has_not_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_link, "_SILENT_S", 0.1)
    cable = Cable()
    with bundle_link.BundleLink(cable.path, hello_s=60) as link:
        monkeypatch.setattr(bundle_link, "request", lambda *_: b"x" * (1 << 20))  # fills the pty
        with pytest.raises(PortError, match="took nothing for"):
            link.status()
    cable.pull()

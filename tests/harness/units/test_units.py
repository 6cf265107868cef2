# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every unit can do the same, whichever way it is reached."""

import contextlib
import errno
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muster_harness.errors import BoardError, CannotDo, HarnessError, RemoteError, RemoteOSError
from muster_harness.units import unit as units
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.serial_unit import SerialUnit
from muster_harness.units.unit import CAPABILITIES, CURES, Unit
from muster_harness.units.wiring import CommandSwitch
from muster_harness.wire.tcp_port import TCPPort
from tests.harness.wire.rfc2217_server import behind_rfc2217

# pyserial 3.5 starts its reader of rfc2217:// in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


@pytest.fixture(params=["emulated", "pty", "socket", "rfc2217"])
def unit(request: pytest.FixtureRequest, board: EmulatedBoard, tmp_path: Path) -> Iterator[Unit]:
    """One board, reached in four ways."""
    with contextlib.ExitStack() as stack:
        if request.param == "emulated":
            yield board
            return
        port = board.port
        if request.param == "socket":
            port = stack.enter_context(TCPPort(board.port)).url
        elif request.param == "rfc2217":
            port = stack.enter_context(behind_rfc2217(board, wires_reset=True)).url
        yield stack.enter_context(SerialUnit(port, tmp_path / "unit.log"))


def test_code_runs_and_values_come_back(unit: Unit) -> None:
    assert unit.exec("x = 6 * 7; print(x)") == "42\n"
    assert unit.eval("{'x': x}") == {"x": 42}


def test_a_remote_exception_is_a_local_one_with_the_text_from_there(unit: Unit) -> None:
    with pytest.raises(RemoteError, match="Traceback") as caught:
        unit.exec("raise ValueError('too hot')")
    assert (caught.value.kind, caught.value.detail) == ("ValueError", "too hot")
    assert not isinstance(caught.value, OSError)


def test_a_remote_os_error_is_one_here_with_its_number(unit: Unit) -> None:
    with pytest.raises(OSError, match="ENOENT") as caught:
        unit.read_file("/absent")
    assert isinstance(caught.value, RemoteOSError)
    assert caught.value.errno == errno.ENOENT


def test_files_come_and_go(unit: Unit) -> None:
    data = bytes(range(256)) * 10
    unit.write_file("/data.bin", data)
    assert unit.read_file("/data.bin") == data
    assert "data.bin" in unit.list_files()
    unit.remove_file("/data.bin")
    assert "data.bin" not in unit.list_files()


def test_a_folder_is_copied_with_all_below_it(unit: Unit, tmp_path: Path) -> None:
    for name in ("package/__init__.py", "package/deep/a.txt", "package/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"x = {name!r}")
    for _ in range(2):  # what is there is replaced
        unit.copy(tmp_path / "package", "/lib/package")
    assert unit.eval("__import__('package').x") == "package/__init__.py"
    assert unit.list_files("/lib/package") == ["__init__.py", "deep"]
    unit.copy(tmp_path / "package" / "deep" / "a.txt", "/new/folder/b.txt")
    assert b"deep" in unit.read_file("/new/folder/b.txt")
    with pytest.raises(HarnessError, match="there is no "):
        unit.copy(tmp_path / "absent", "/lib/absent")


def test_a_pattern_is_found_in_what_the_program_prints(unit: Unit) -> None:
    unit.write_file("/main.py", "import time\nfor i in range(3): print('reading', i)\n")
    unit.forget_output()
    unit.reset()
    assert unit.expect(rb"reading (\d)")[1] == b"0"
    assert unit.expect(rb"reading (\d)")[1] == b"1"
    unit.expect(rb">>> ")


def test_reset_soft_lets_the_program_begin_anew(unit: Unit) -> None:
    unit.forget_output()
    unit.reset("soft")
    unit.expect(rb"soft reboot")


def test_heap_and_clock_can_be_read_and_the_clock_set(unit: Unit) -> None:
    heap = unit.heap()
    assert heap.free > heap.used > 0
    unit.set_time(1_800_000_000)
    assert 0 <= unit.time() - 1_800_000_000 < 10


def test_mpremote_works_on_a_released_port(unit: Unit) -> None:
    unit.exec("x = 1")
    with unit.released() as port:
        command = [sys.executable, "-m", "mpremote", "connect", port, "exec", "print(6 * 7)"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "42"
    assert unit.eval("1 + 1") == 2


def test_a_missing_capability_says_what_to_do(tmp_path: Path, board: EmulatedBoard) -> None:
    with SerialUnit(board.port, tmp_path / "unit.log", name="press") as unit:
        with pytest.raises(CannotDo, match=r"press has no 'button'.*rig file: button ="):
            unit.press()
        for attempt in (unit.power_off, lambda: unit.is_lit, lambda: unit.level(2)):
            with pytest.raises(CannotDo):
                attempt()


def test_the_log_names_the_caller_outside_of_the_harness_and_of_nothing_like_it() -> None:
    like_it = f"{Path(units.__file__).parents[1]}-of-ours/test_sensor.py"
    code = compile("\n\nwhere = _caller()", like_it, "exec")
    names: dict[str, Any] = {"_caller": units._caller}
    exec(code, names)  # noqa: S102 (two lines above)
    assert names["where"] == "test_sensor.py:3"


def test_an_unknown_capability_is_an_error_that_lists_all(board: EmulatedBoard) -> None:
    with pytest.raises(CannotDo, match="'buton'.*air, buses, button"):
        board.can("buton")


def test_every_capability_has_its_cure() -> None:
    assert CAPABILITIES.keys() == CURES.keys()


def test_the_emulated_board_has_a_clock_to_play_with_if_it_was_made_so(
    tmp_path: Path, board: EmulatedBoard
) -> None:
    assert not board.can("clock")
    with EmulatedBoard(tmp_path / "virtual", virtual_time=True) as virtual:
        assert virtual.can("clock", "air", "power", "button", "led", "pins", "reset")
        virtual.power_on()
        virtual.exec("import time")
        virtual.clock.jump(3600)
        before = time.monotonic()
        assert virtual.eval("time.time()") >= 3600
        assert time.monotonic() - before < 3600


def test_a_value_that_is_no_literal_is_told_with_what_to_do(board: EmulatedBoard) -> None:
    with pytest.raises(HarnessError, match=r"no literal here, but '<object>'; ask for a part"):
        board.eval("object()")


def test_who_is_off_is_asked_nothing(board: EmulatedBoard, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="has no pin 99; it has 0 to 39 without 24"):
        board.drive(99, 1)
    relay = CommandSwitch(("true",), ("true",))
    with SerialUnit(board.port, tmp_path / "unit.log", name="desk", power=relay) as desk:
        desk.power_off()
        board.power_off()
        for unit in (desk, board):
            with pytest.raises(BoardError, match=rf"{unit.name} is off; power_on\(\) first"):
                unit.exec("1")


def test_a_heap_that_is_none_or_too_small_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"so many bytes, e\.g\. 320K or 1M, not 'abc'"):
        EmulatedBoard(tmp_path / "a", heap="abc")
    with EmulatedBoard(tmp_path / "b", heap="3") as board:
        board.power_on()
        with pytest.raises(BoardError, match="is the heap too small"):
            board.expect(rb">>> ", 30)
        with pytest.raises(BoardError, match="is the heap too small"):
            board.exec("1")

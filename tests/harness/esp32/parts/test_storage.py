# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board keeps files and NVS, and they are consistent when the power goes."""

import pytest

from muster_harness.errors import RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL


def test_root_is_the_flash_alone(repl: REPL) -> None:
    assert repl.eval("__import__('os').listdir('/')") == ["boot.py"]
    assert repl.eval("__import__('sys').path") == ["", ".frozen", "/lib"]


def test_the_harness_leaves_no_names_to_the_program(repl: REPL) -> None:
    # those that _boot.py of ports/esp32 leaves
    assert repl.eval("sorted(n for n in dir() if n[0] != '_')") == ["bdev", "gc", "vfs"]


def test_nvs_keeps_values_over_power_cycles(board: EmulatedBoard) -> None:
    with REPL(board.port) as repl:
        repl.exec("import esp32; n = esp32.NVS('ns'); n.set_i32('i', -5)")
        repl.exec("n.set_blob('b', b'\\x00\\xff'); n.commit()")
    board.power_off()
    board.power_on()
    board.expect(rb"POWERON.*>>> ")
    with REPL(board.port) as repl:
        repl.exec("import esp32; n = esp32.NVS('ns'); b = bytearray(4)")
        assert repl.eval("(n.get_i32('i'), n.get_blob('b', b), bytes(b))") == (
            -5,
            2,
            b"\x00\xff\0\0",
        )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("n.get_i32('absent')", "(-4354, 'ESP_ERR_NVS_NOT_FOUND')"),
        ("n.erase_key('absent')", "(-4354, 'ESP_ERR_NVS_NOT_FOUND')"),
        ("n.set_i32('sixteen-letters!', 1)", "(-4361, 'ESP_ERR_NVS_KEY_TOO_LONG')"),
        ("n.get_blob('b', bytearray(2))", "(-4364, 'ESP_ERR_NVS_INVALID_LENGTH')"),
        ("n.set_blob('c', bytes(16000))", "(-4357, 'ESP_ERR_NVS_NOT_ENOUGH_SPACE')"),
    ],
)
def test_nvs_refuses_as_esp_idf_does(repl: REPL, code: str, error: str) -> None:
    repl.exec("import esp32; n = esp32.NVS('ns'); n.set_blob('b', bytes(8000))")
    repl.exec(f"try:\n    {code}\nexcept OSError as e:\n    args = e.args")
    assert repl.eval("args") == eval(error)  # noqa: S307 (a literal above)


def test_a_missing_partition_and_a_known_one(repl: REPL) -> None:
    repl.exec("from esp32 import Partition")
    found = repl.eval("[p.info() for p in Partition.find(Partition.TYPE_DATA, label='vfs')]")
    assert found == [(1, 0x81, 0x200000, 0x200000, "vfs", False)]
    with pytest.raises(RemoteError, match="OSError"):
        repl.exec("Partition('absent')")


def write_under_cut(board: EmulatedBoard, operation: int, how: str) -> bool:
    """Replace a file's content while the power is cut at that operation; whether it was."""
    board.cut_power_at_flash_op(operation, how, 5)  # type: ignore[arg-type]
    board.write(b"f = open('v', 'w'); f.write('new ' * 100); f.close(); 'do' + 'ne'\r")
    while board.is_on:
        if b"'done'" in board.output:
            return False
    return True


@pytest.mark.parametrize("how", ["before", "torn", "after"])
def test_a_power_cut_leaves_the_old_or_the_new_file(board: EmulatedBoard, how: str) -> None:
    board.write(b"f = open('v', 'w'); f.write('old ' * 100); f.close()\r")
    board.expect(rb"400\r\n>>> ")
    for operation in range(1, 20):
        if not write_under_cut(board, operation, how):
            break
        board.cut_power_at_flash_op(0)
        board.forget_output()
        board.power_on()
        board.expect(rb"POWERON.*>>> ")
        board.write(b"open('v').read()[:4]\r")
        assert board.expect(rb"'(old|new) '")[1] in (b"old", b"new")
        board.write(b"f = open('v', 'w'); f.write('old ' * 100); f.close()\r")
        board.expect(rb"400\r\n>>> ")
    assert operation > 3


def test_a_corrupt_filesystem_is_reported_as_a_board_does(board: EmulatedBoard) -> None:
    board.power_off()
    image = board.log_path.parent / "flash.img"
    with image.open("r+b") as flash:
        flash.write(b"\0" * 16384)
    board.power_on()
    board.expect(rb"The filesystem appears to be corrupted")
    board.write(b"\x03")  # as inisetup.py allows: to a prompt without files
    said = board.expect(rb"Traceback.*?>>> ")[0]
    assert b"in fs_corrupted\r\nKeyboardInterrupt: \r\n" in said and b"<board>" not in said
    board.write(b"import os; os.listdir()\r")
    board.expect(rb"\[\]\r\n>>> ")
    board.write(b"\x04")
    board.expect(rb"soft reboot\r\nThe filesystem appears to be corrupted")


def test_the_log_tells_output_and_events_but_no_input(board: EmulatedBoard) -> None:
    board.write(b"_ = 'typed secret'.upper()\r")
    board.expect(rb">>> ")
    board.power_off()
    log = board.log_path.read_text()
    assert "reset: power_on" in log
    assert "MicroPython v" in log
    assert "26 bytes" in log or "27 bytes" in log

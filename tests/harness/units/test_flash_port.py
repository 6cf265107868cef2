# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An unmodified esptool at an emulated board, which it erases, writes, verifies and reads.

Each call takes some 25 s, nearly all of it pyserial's own sleeps for RFC 2217.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from muster_harness import EmulatedBoard, FlashPort
from muster_harness.errors import BoardError, RemoteOSError
from muster_harness.units.development_board import DevelopmentBoard

# pyserial 3.5 starts its reader in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")
_FILES_AT = 0x200000


def esptool(port: FlashPort, *words: str) -> str:
    command = [sys.executable, "-m", "esptool", "--port", port.url, "--chip", "esp32", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Like a firmware's; what a boot loader's head says is kept."""
    path = tmp_path / "firmware.bin"
    path.write_bytes(b"\xe9\x03\x02\x20" + bytes(range(256)) * 64)
    return path


def test_a_blank_chip_is_erased_flashed_and_boots(off_board: EmulatedBoard, image: Path) -> None:
    words = ("--baud", "460800", "write-flash", "--erase-all", "0x1000", str(image))
    with FlashPort(off_board, is_flashed=False) as port:
        said = esptool(port, *words)
        assert "Hash of data verified" in said
        assert off_board.mac.hex(":") in said and "40MHz" in said
        off_board.expect(">>> ", 10)
    assert off_board.eval("6 * 7") == 42


def test_what_was_written_is_verified(board: EmulatedBoard, image: Path) -> None:
    with FlashPort(board) as port:
        content = image.read_bytes()
        port.flash[0x1000 : 0x1000 + len(content)] = content
        assert "successful" in esptool(port, "verify-flash", "0x1000", str(image))
        board.expect(">>> ", 10)


def test_flash_is_read(board: EmulatedBoard, tmp_path: Path) -> None:
    board.write_file("/kept.txt", b"still here")
    read = tmp_path / "read.bin"
    with FlashPort(board) as port:
        esptool(port, "read-flash", hex(_FILES_AT), "0x4000", str(read))
        board.expect(">>> ", 10)
    assert read.read_bytes() == board.read_flash().image[:0x4000]


def press_reset(chip: DevelopmentBoard, *, with_boot: bool) -> None:
    chip.rts, chip.dtr = True, False
    chip.dtr = with_boot
    chip.rts = False


def test_files_and_nvs_are_in_that_flash(board: EmulatedBoard) -> None:
    board.write_file("/kept.txt", b"still here")
    board.exec("import esp32; n = esp32.NVS('a'); n.set_i32('b', 1); n.commit()")
    files = board.read_flash().image
    board.write_file("/kept.txt", b"changed")
    chip = DevelopmentBoard(board)
    press_reset(chip, with_boot=True)
    assert not board.is_on
    chip.rom.flash[_FILES_AT : _FILES_AT + len(files)] = files
    press_reset(chip, with_boot=False)
    board.expect(">>> ", 10)
    chip.close()
    assert board.read_file("/kept.txt") == b"still here"
    assert board.eval("__import__('esp32').NVS('a').get_i32('b')") == 1
    press_reset(chip, with_boot=True)
    chip.rom.flash[0x9000:0xF000] = b"\xff" * 0x6000
    chip.rom.flash[_FILES_AT:] = b"\xff" * len(files)
    press_reset(chip, with_boot=False)
    board.expect("Performing initial setup", 10)
    board.expect(">>> ", 10)
    chip.close()
    assert board.list_files() == ["boot.py"]
    with pytest.raises(RemoteOSError):
        board.exec("import esp32; esp32.NVS('a').get_i32('b')")


def test_a_chip_whose_image_is_gone_does_not_boot(board: EmulatedBoard) -> None:
    chip = DevelopmentBoard(board)
    press_reset(chip, with_boot=True)
    chip.rom.flash[0x1000] = 0xFF
    press_reset(chip, with_boot=False)
    assert not board.is_on and b"invalid header: 0xffffffff" in chip.read(4096)


def test_a_chip_whose_loader_is_not_known_is_refused(tmp_path: Path) -> None:
    with (
        EmulatedBoard(tmp_path / "c3", facts="ESP32_GENERIC_C3") as board,
        pytest.raises(BoardError, match="esp32c3 is not emulated"),
    ):
        FlashPort(board)

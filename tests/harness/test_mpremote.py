# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The unmodified mpremote works on the emulated board's port."""

from pathlib import Path

from harness.emulated import EmulatedBoard
from tests.harness.conftest import Mpremote


def test_exec_prints_what_the_board_prints(mpremote: Mpremote) -> None:
    assert mpremote("exec", "import sys; print(sys.platform)") == "esp32\n"


def test_run_executes_a_local_file(mpremote: Mpremote, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('from a file')\n")
    assert mpremote("run", str(script)) == "from a file\n"


def test_a_tree_is_copied_there_listed_and_back(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    (tmp_path / "pkg" / "one.py").write_text("x = 1\n" * 700)
    (tmp_path / "pkg" / "sub" / "data.bin").write_bytes(bytes(range(256)) * 9)
    mpremote("fs", "cp", "-r", str(tmp_path / "pkg"), ":")
    assert "one.py" in mpremote("fs", "ls", ":pkg")
    back = tmp_path / "back.bin"
    mpremote("fs", "cp", ":pkg/sub/data.bin", str(back))
    assert back.read_bytes() == bytes(range(256)) * 9


def test_files_survive_a_power_cycle(board: EmulatedBoard, mpremote: Mpremote) -> None:
    mpremote("exec", "with open('kept.txt', 'w') as f: f.write('still here')")
    board.power_off()
    board.power_on()
    assert mpremote("fs", "cat", ":kept.txt") == "still here"


def test_mount_passes_binary_data_both_ways(mpremote: Mpremote, tmp_path: Path) -> None:
    (tmp_path / "lines.bin").write_bytes(b"a\nb\r\n\xff\x00\n" * 50)
    code = "open('/remote/out.bin','wb').write(open('/remote/lines.bin','rb').read())"
    mpremote("mount", str(tmp_path), "exec", code)
    assert (tmp_path / "out.bin").read_bytes() == b"a\nb\r\n\xff\x00\n" * 50


def test_a_running_main_is_interrupted_for_mpremote(
    board: EmulatedBoard, mpremote: Mpremote
) -> None:
    text = "print('busy')\nwhile True: pass\n"
    mpremote("exec", f"with open('main.py', 'w') as f: f.write({text!r})")
    board.forget_output()
    board.reset()
    board.expect(rb"busy\r\n")
    assert mpremote("exec", "print(1 + 1)") == "2\n"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The unmodified mpremote works on the board's ports; docs/emulated-board.md has the table.

Each row of the table is one function here, run over the pty and over socket://.
"""

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.tcp_port import TCPPort
from tests.children import AtTerminal

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "emulated-board.md"
BINARY = bytes(range(256)) * 9

MPREMOTE_S = 60
TYPING_S = 20


class Desk:
    """mpremote on one port of the board, and a folder with files."""

    def __init__(self, board: EmulatedBoard, port: str, folder: Path) -> None:
        self.board = board
        self.port = port
        self.folder = folder

    def __call__(self, *arguments: str) -> str:
        """Return what mpremote prints; a failure fails the test, with its words."""
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", self.port, *arguments],
            capture_output=True,
            text=True,
            timeout=MPREMOTE_S,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def file(self, name: str, data: str | bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)


def run_exec(desk: Desk) -> None:
    assert desk("exec", "import sys; print(sys.platform)") == "esp32\n"


def run_eval(desk: Desk) -> None:
    assert desk("eval", "6 * 7") == "42\n"


def run_run(desk: Desk) -> None:
    assert desk("run", desk.file("script.py", "print('from a file')\n")) == "from a file\n"


def run_cp(desk: Desk) -> None:
    there = desk.file("data.bin", BINARY)
    back = desk.folder / "back.bin"
    desk("cp", there, ":", "+", "cp", ":data.bin", str(back))
    assert back.read_bytes() == BINARY


def run_cp_r(desk: Desk) -> None:
    desk.file("pkg/one.py", "x = 1\n" * 70)
    desk.file("pkg/sub/data.bin", BINARY)
    desk("cp", "-r", str(desk.folder / "pkg"), ":")
    back = desk.folder / "back"
    back.mkdir()
    desk("cp", "-r", ":pkg", str(back))
    assert (back / "pkg" / "sub" / "data.bin").read_bytes() == BINARY


def run_mkdir_rm_r(desk: Desk) -> None:
    desk("mkdir", ":d", "+", "cp", desk.file("x.txt", "x"), ":d/x.txt", "+", "rm", "-r", ":d")
    assert "d/" not in desk("ls", ":")


def run_sha256sum(desk: Desk) -> None:
    said = desk("cp", desk.file("data.bin", BINARY), ":", "+", "sha256sum", ":data.bin")
    assert hashlib.sha256(BINARY).hexdigest() in said


def run_mount(desk: Desk) -> None:
    desk.file("lines.bin", b"a\nb\r\n\xff\x00\n" * 50)
    script = desk.file(
        "copy.py",
        "with open('/remote/lines.bin', 'rb') as a, open('/remote/out.bin', 'wb') as b:\n"
        "    print(b.write(a.read()))\n",
    )
    # Its own line and the board's come by two ways, in either order.
    assert "400" in desk("mount", str(desk.folder), "run", script).splitlines()
    assert (desk.folder / "out.bin").read_bytes() == b"a\nb\r\n\xff\x00\n" * 50


def run_mip(desk: Desk) -> None:
    desk.file("thing.py", "NAME = 'installed'\n")
    package = desk.file("package.json", '{"urls": [["thing.py", "thing.py"]], "version": "1"}')
    desk("mip", "install", package)
    assert desk("exec", "import thing; print(thing.NAME)") == "installed\n"


def run_soft_reset(desk: Desk) -> None:
    text = "import machine; machine.RTC().memory(b'kept'); x = 1"
    desk("exec", text, "+", "soft-reset")
    assert desk("resume", "eval", "(machine.RTC().memory() if 'machine' in globals() else 0)") == (
        "0\n"
    )
    assert desk("exec", "import machine; print(machine.RTC().memory())") == "b'kept'\n"


def run_reset(desk: Desk) -> None:
    desk.board.forget_output()
    desk("reset")
    desk.board.expect(rb"rst:0xc \(SW_CPU_RESET\)|rst:0x3 \(SW_RESET\)", TYPING_S)


def run_rtc(desk: Desk) -> None:
    desk("rtc", "--set")
    year = time.localtime().tm_year
    assert re.match(rf"\({year}, ", desk("rtc"))


def run_df(desk: Desk) -> None:
    assert re.search(r"^<VfsLfs2>\s+2097152 .* /$", desk("df"), re.MULTILINE)


ROWS: dict[str, Callable[[Desk], None]] = {
    "exec": run_exec,
    "eval": run_eval,
    "run": run_run,
    "cp, both ways": run_cp,
    "cp -r, both ways": run_cp_r,
    "mkdir, rm -r, ls": run_mkdir_rm_r,
    "sha256sum": run_sha256sum,
    "mount and run": run_mount,
    "mip install": run_mip,
    "soft-reset": run_soft_reset,
    "reset": run_reset,
    "rtc, rtc --set": run_rtc,
    "df": run_df,
}
PTY_ONLY = "repl, with Ctrl-C"


@pytest.fixture(params=["pty", "socket"])
def desk(request: pytest.FixtureRequest, board: EmulatedBoard, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    folder.mkdir()
    if request.param == "pty":
        yield Desk(board, board.port, folder)
    else:
        with TCPPort(board.port) as tcp:
            yield Desk(board, tcp.url, folder)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_table_is_true(desk: Desk, row: str) -> None:
    ROWS[row](desk)


def test_the_table_has_these_rows() -> None:
    table = re.findall(r"^\| `mpremote (.+?)` \| yes \| (yes|no) \|", DOCUMENT.read_text(), re.M)
    assert dict(table) == {**dict.fromkeys(ROWS, "yes"), PTY_ONLY: "no"}


def test_repl_with_ctrl_c(board: EmulatedBoard) -> None:
    """A person types into mpremote's own terminal."""
    command = [sys.executable, "-m", "mpremote", "connect", board.port, "repl"]
    with AtTerminal(command, timeout_s=TYPING_S) as terminal:
        terminal.expect_exact("Use Ctrl-] or Ctrl-x to exit this shell")
        terminal.send("\r")
        terminal.expect_exact(">>> ")
        terminal.send("while True: pass\r\r\r")
        terminal.expect_exact("pass")
        time.sleep(0.2)
        terminal.send("\x03")
        terminal.expect_exact("KeyboardInterrupt")
        terminal.send("print(6 * 7)\r")
        terminal.expect_exact("\r\n42\r\n")
        terminal.send("\x1d")
        assert terminal.ends() == 0


def test_files_survive_a_power_cycle(board: EmulatedBoard, tmp_path: Path) -> None:
    desk = Desk(board, board.port, tmp_path)
    desk("exec", "with open('kept.txt', 'w') as f: f.write('still here')")
    board.power_off()
    board.power_on()
    assert desk("fs", "cat", ":kept.txt") == "still here"


def test_a_running_main_is_interrupted_for_mpremote(board: EmulatedBoard, tmp_path: Path) -> None:
    desk = Desk(board, board.port, tmp_path)
    desk("exec", "with open('main.py', 'w') as f: f.write('print(1)\\nwhile True: pass')")
    board.forget_output()
    board.reset()
    board.expect(rb"1\r\n")
    assert desk("exec", "print(1 + 1)") == "2\n"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board runs its old files or its new ones, whatever happens while they are copied."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import muster_harness.deploy.inventory
import muster_harness.deploy.sending
import muster_harness.deploy.transfer
from muster_harness.air.air import Air
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.deploy.layout import lay_out
from muster_harness.deploy.transfer import Transfer, put_tree
from muster_harness.errors import (
    BoardError,
    DeployError,
    FilesystemFull,
    ForeignFiles,
    PortError,
    WrongBoard,
)
from muster_harness.facts import read_facts
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.pool import copier
from muster_harness.wire.repl import REPL
from muster_harness.wire.tcp_port import TCPPort
from tests.harness.conftest import write_file

MODULES = 6
FORGET_WHAT_ARRIVED = """
import os
try:
    for name in os.listdir('/.muster-new'): os.remove('/.muster-new/' + name)
except OSError: pass
"""


def make_source(folder: Path, version: str) -> Path:
    """A package whose modules all have to be of one version, and a main that compares them."""
    package = folder / "lib" / "pkg"
    package.mkdir(parents=True)
    (folder / "boot.py").write_text("# nothing\n")
    names = ", ".join(f"m{n}" for n in range(MODULES))
    (folder / "main.py").write_text(
        f"# {version}\nfrom pkg import {names}\nprint('runs', {{m.VERSION for m in ({names})}})\n"
    )
    (package / "__init__.py").write_text("")
    for n in range(MODULES):
        (package / f"m{n}.py").write_text(f"VERSION = {version!r}\n# {version * 400}\n")
    return folder


def lay(tmp_path: Path, version: str) -> Path:
    tree = tmp_path / f"tree-{version}"
    lay_out(make_source(tmp_path / version, version), tree, "py")
    return tree


@pytest.fixture
def old_board(board: EmulatedBoard, tmp_path: Path) -> EmulatedBoard:
    """A board that runs the old version."""
    with REPL(board.port) as repl:
        put_tree(repl, lay(tmp_path, "old"))
    return board


def boots(board: EmulatedBoard) -> str:
    board.power_off()
    board.forget_output()
    board.power_on()
    return board.expect(rb"runs \{'(\w+)'\}\r\n|(is missing)", 5)[1].decode()


def test_a_tree_arrives_and_runs(old_board: EmulatedBoard) -> None:
    assert boots(old_board) == "old"


def test_what_is_there_already_is_not_sent(old_board: EmulatedBoard, tmp_path: Path) -> None:
    with REPL(old_board.port) as repl:
        done = put_tree(repl, tmp_path / "tree-old")
    assert (done.sent, done.removed) == ((), ())
    assert "/lib/pkg/m0.py" in done.unchanged


def test_files_that_are_gone_do_not_shadow_new_ones(board: EmulatedBoard, tmp_path: Path) -> None:
    source = make_source(tmp_path / "source", "old")
    deploy_firmware(board.port, source, form="py")
    for module in (source / "lib" / "pkg").glob("m*.py"):
        module.write_text("VERSION = 'new'\n")
    done = deploy_firmware(board.port, source, form="mpy")
    assert "/lib/pkg/m0.py" in done.removed
    assert boots(board) == "new"


def test_a_power_cut_at_any_flash_operation_leaves_the_old_or_the_new(
    old_board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board alone finishes, at its next start, an exchange that was cut off.

    The next deployment mends the rest.
    """
    monkeypatch.setattr("muster_harness.wire.repl._PROMPT_S", 0.2)  # nobody answers after the cut
    tree = lay(tmp_path, "new")
    before = old_board.flash_operations
    with REPL(old_board.port) as repl:
        put_tree(repl, tree)
    operations = old_board.flash_operations - before
    found = {}
    for at in (1, *(operations * tenths // 10 for tenths in (2, 5, 8, 9))):
        with REPL(old_board.port) as repl:
            put_tree(repl, tmp_path / "tree-old")
            repl.exec(FORGET_WHAT_ARRIVED)
        assert boots(old_board) == "old"
        old_board.cut_power_at_flash_op(at)
        with pytest.raises(BoardError), REPL(old_board.port, timeout_s=0.5) as repl:
            put_tree(repl, tree)
        old_board.cut_power_at_flash_op(0)
        found[at] = boots(old_board)
    assert set(found.values()) == {"old", "new"}
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_cable_pulled_in_the_middle_leaves_the_old_and_the_next_deploy_completes_it(
    old_board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = make_source(tmp_path / "new", "new")
    monkeypatch.setattr(muster_harness.deploy.sending, "_TEXT", 400)
    pieces, sizes = muster_harness.deploy.sending.pieces, list[int]()
    with TCPPort(old_board.port) as tcp, monkeypatch.context() as patch:

        def pull(data: bytes) -> Iterator[tuple[str, bytes]]:
            sizes.append(len(data))
            yield from pieces(data)
            if len(sizes) > 6:  # the first modules are on their way
                tcp.close()

        patch.setattr(muster_harness.deploy.sending, "pieces", pull)
        with pytest.raises(PortError, match="vanished"):
            deploy_firmware(tcp.url, new, form="py")
    assert boots(old_board) == "old"
    sizes.clear()

    def counted(data: bytes) -> Iterator[tuple[str, bytes]]:
        sizes.append(len(data))
        return pieces(data)

    monkeypatch.setattr(muster_harness.deploy.sending, "pieces", counted)
    deploy_firmware(old_board.port, new, form="py")
    assert (
        sizes.count((new / "lib" / "pkg" / "m0.py").stat().st_size) < MODULES
    )  # not all once more
    assert boots(old_board) == "new"


def test_a_file_that_arrived_otherwise_is_named_and_changes_nothing(
    old_board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = muster_harness.deploy.sending.send

    def send_and_spoil(repl: REPL, files: dict[str, bytes], progress: Any) -> None:
        send(repl, files, progress)
        name = next(path for path, data in files.items() if b"VERSION" in data)
        repl.exec(f"with open({name!r}, 'ab') as f: f.write('#')")

    monkeypatch.setattr(muster_harness.deploy.transfer, "send", send_and_spoil)
    with pytest.raises(DeployError, match=r"/m0\.py arrived otherwise"), REPL(old_board.port) as r:
        put_tree(r, lay(tmp_path, "new"))
    assert boots(old_board) == "old"


@pytest.mark.parametrize("blocks_left", [1, 5], ids=["from the start", "in the end"])
def test_a_full_filesystem_keeps_the_old_files(
    old_board: EmulatedBoard, tmp_path: Path, blocks_left: int
) -> None:
    with REPL(old_board.port) as repl:
        free = repl.eval("__import__('os').statvfs('/')[3]")
        repl.exec(
            "block = bytes(4096)\n"
            "with open('big', 'wb') as f:\n"
            f"    for _ in range({free - blocks_left}): f.write(block)\n"
        )
        with pytest.raises(FilesystemFull, match="no room"):
            put_tree(repl, lay(tmp_path, "new"))
    assert boots(old_board) == "old"


def test_a_loss_that_nothing_can_mend_is_said_at_every_start(
    old_board: EmulatedBoard, tmp_path: Path
) -> None:
    code = muster_harness.deploy.transfer.EXCHANGE.format(
        mark=muster_harness.deploy.inventory.MARK,
        stage="/none",
        files=[("0", "/lost.py")],
        gone=[],
    )
    with REPL(old_board.port) as repl:
        repl.exec(f"with open('main.py', 'w') as f: f.write({code!r})")
    old_board.reset()
    old_board.expect(rb"M 0 E deploy /lost.py is missing: run muster-unit deploy again")
    with REPL(old_board.port) as repl:
        put_tree(repl, tmp_path / "tree-old")
    assert boots(old_board) == "old"


def test_the_wrong_board_is_refused_before_anything_is_sent(
    tmp_path: Path, air: Air, board: EmulatedBoard
) -> None:
    source = make_source(tmp_path / "source", "new")
    with pytest.raises(WrongBoard, match="ESP32_GENERIC_C3 is a board with esp32c3"):
        deploy_firmware(board.port, source, build={"board": "ESP32_GENERIC_C3"})
    facts = replace(read_facts("EMULATED"), machine="Raspberry Pi Pico W with RP2040")
    with EmulatedBoard(tmp_path / "pico", air=air, facts=facts) as pico:
        pico.power_on()
        pico.expect(rb">>> ")
        with pytest.raises(WrongBoard, match="no board file fits a 'Raspberry"):
            deploy_firmware(pico.port, source)
        with REPL(pico.port) as repl:
            assert "lib" not in repl.eval("__import__('os').listdir('/')")


def test_a_kindred_board_is_warned_of(board: EmulatedBoard, tmp_path: Path) -> None:
    said: list[str] = []
    source = make_source(tmp_path / "source", "new")
    deploy_firmware(board.port, source, build={"board": "M5STACK_ATOM"}, say=said.append)
    assert "check that button and LED" in said[0]


def test_a_file_that_somebody_changed_is_not_replaced_unasked(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    source = make_source(tmp_path / "source", "old")
    deploy_firmware(board.port, source, form="py")
    with REPL(board.port) as repl:
        write_file(repl, "/main.py", "print('mine')")
    (source / "main.py").write_text("print('runs', {'new'})")
    with pytest.raises(ForeignFiles, match=r"/main.py on the board .* deploy with --force"):
        deploy_firmware(board.port, source, form="py")
    with REPL(board.port) as repl:
        assert repl.eval("open('/main.py').read()") == "print('mine')"
    asked: list[str] = []
    deploy_firmware(board.port, source, form="py", agree=lambda paths: not asked.extend(paths))  # type: ignore[func-returns-value]
    assert asked == ["/main.py"]
    assert boots(board) == "new"


def test_files_that_would_hide_ours_are_removed_when_agreed(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    source = make_source(tmp_path / "source", "new")
    with REPL(board.port) as repl:
        repl.exec("import os\nfor p in ('/pkg', '/lib', '/lib/pkg'): os.mkdir(p)")
        for path in ("/pkg/__init__.py", "/lib/pkg/m1.py", "/lib/pkg/notes.txt", "/lib/other.py"):
            write_file(repl, path, "VERSION = 'hidden'")
    with pytest.raises(ForeignFiles, match=r"^/lib/pkg/m1.py, /pkg/__init__.py on the board"):
        deploy_firmware(board.port, source)
    done = deploy_firmware(board.port, source, agree=lambda paths: True)
    assert done.removed == ("/lib/pkg/m1.py", "/pkg/__init__.py")
    assert boots(board) == "new"
    with REPL(board.port) as repl:
        assert repl.eval("open('/lib/pkg/notes.txt').read()") == "VERSION = 'hidden'"


def test_what_was_put_there_and_is_wanted_no_more_goes(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    source = make_source(tmp_path / "source", "new")
    (source / "lib" / "pkg" / "extra.py").write_text("x = 1\n")
    deploy_firmware(board.port, source)
    (source / "lib" / "pkg" / "extra.py").unlink()
    assert deploy_firmware(board.port, source).removed == ("/lib/pkg/extra.mpy",)
    assert deploy_firmware(board.port, source) == Transfer(
        (), (), deploy_firmware(board.port, source).unchanged
    )


def test_so_it_is_with_the_files_that_tests_put_there(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("main.py", ".cache", "settings.json"):
        (folder / name).write_text("")
    copier(folder)(board)
    assert board.list_files("/") == [".muster-files", "boot.py", "main.py", "settings.json"]
    (folder / "settings.json").unlink()
    copier(folder)(board)
    assert board.list_files("/") == [".muster-files", "boot.py", "main.py"]


def test_a_board_as_micropython_formats_it_is_not_asked_about(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    with REPL(board.port) as repl:
        write_file(repl, "/boot.py", muster_harness.deploy.inventory.FACTORY_BOOT.decode())
    deploy_firmware(board.port, make_source(tmp_path / "source", "new"))
    assert boots(board) == "new"


def test_a_watchdog_that_bites_during_the_copy_is_given_more_time(
    board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's program has started one, and nobody feeds it while files are copied."""
    with REPL(board.port) as repl:
        write_file(
            repl, "/main.py", "from machine import WDT\nWDT(timeout=1000)\nprint('on guard')"
        )
    send = muster_harness.deploy.sending.send
    waited: list[bool] = []

    def send_slowly(repl: REPL, *rest: Any) -> None:
        if not waited:  # a long copy on a slow line
            waited.append(True)
            repl.exec("import time\ntime.sleep(5)", 8)
        send(repl, *rest)

    monkeypatch.setattr(muster_harness.deploy.transfer, "send", send_slowly)
    board.forget_output()
    board.reset()
    board.expect(rb"on guard")
    said: list[str] = []
    source = make_source(tmp_path / "source", "new")
    deploy_firmware(board.port, source, say=said.append, agree=lambda paths: True)
    assert "watchdog bit" in said[-1]
    assert boots(board) == "new"


def test_an_exchange_that_fails_keeps_what_has_arrived(
    old_board: EmulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a folder stands where a file belongs; a filesystem that fills up then does the same."""
    tree = lay(tmp_path, "new")
    send = muster_harness.deploy.sending.send

    def send_and_block(repl: REPL, *rest: Any) -> None:
        send(repl, *rest)
        repl.exec("import os\nos.remove('/lib/pkg/m3.py')\nos.mkdir('/lib/pkg/m3.py')")

    with monkeypatch.context() as patch, REPL(old_board.port) as repl:
        patch.setattr(muster_harness.deploy.transfer, "send", send_and_block)
        with pytest.raises(DeployError, match="have not taken their places yet"):
            put_tree(repl, tree)
        assert repl.eval("len(__import__('os').listdir('/.muster-new'))") > 0
        repl.exec("os.rmdir('/lib/pkg/m3.py')")
    assert boots(old_board) == "new"

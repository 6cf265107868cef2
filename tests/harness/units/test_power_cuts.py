# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Faults of the flash chip: every cut of a scenario, rotten bits, a full and a worn-out one."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.errors import BoardError, HarnessError, RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.full_filesystem import FILLER, fill_filesystem
from muster_harness.units.power_cuts import Cut, cut_points, record
from muster_harness.wire.repl import REPL


def at_prompt(board: EmulatedBoard) -> REPL:
    board.forget_output()
    board.power_on()
    board.expect(rb">>> ")
    return REPL(board.port)


def doing(code: str) -> Callable[[EmulatedBoard], None]:
    def scenario(board: EmulatedBoard) -> None:
        with at_prompt(board) as repl:
            repl.exec(code)

    return scenario


def asked(board: EmulatedBoard, expression: str, before: str = "") -> object:
    with at_prompt(board) as repl:
        repl.exec(before)
        answer = repl.eval(expression)
    board.power_off()
    return answer


WRITE = "f = open('v', 'w'); f.write('%s ' * 100); f.close()"
BOTH = "import esp32; n = esp32.NVS('n'); n.set_i32('i', 2); " + WRITE % "new"


@pytest.fixture
def board(tmp_path: Path) -> Iterator[EmulatedBoard]:
    """Off, with an old value in a file and in NVS."""
    with EmulatedBoard(tmp_path / "board") as board:
        doing("import esp32; n = esp32.NVS('n'); n.set_i32('i', 1); " + WRITE % "old")(board)
        board.power_off()
        yield board


def test_every_cut_leaves_the_old_or_the_new_value(board: EmulatedBoard) -> None:
    whole = []  # what was there when no operation was under way
    for cut in cut_points(board, doing(BOTH)):
        cut.put_on(board)
        file = asked(board, "open('v').read()")
        assert file in ("old " * 100, "new " * 100), cut
        if cut.how in ("before", "after"):
            whole.append(file)
    assert whole == sorted(whole, reverse=True), "once it is there, it stays"
    assert len(whole) > 5
    assert whole[-1] == "new " * 100


def test_nvs_is_cut_like_the_rest_of_the_flash(board: EmulatedBoard) -> None:
    recording = record(board, doing(BOTH))
    assert recording.operations[0].kind == "nvs"
    first, second = list(recording.cuts())[:2]
    read = "__import__('esp32').NVS('n').get_i32('i')"
    first.put_on(board)
    assert asked(board, read) == 1
    second.put_on(board)
    assert asked(board, read) == 2


def test_a_cut_is_the_same_live_and_replayed(board: EmulatedBoard) -> None:
    recording = record(board, doing(BOTH))
    for cut in [Cut(recording, 1, "before"), Cut(recording, 3, "torn", 40)]:
        board.write_flash(recording.before)
        assert cut.how != "smeared"
        board.cut_power_at_flash_op(cut.operation, cut.how, cut.torn_bytes)
        board.forget_output()
        board.power_on()
        board.expect(rb">>> ")
        board.write(BOTH.encode() + b"\r")
        while board.is_on:
            time.sleep(0.01)
        board.cut_power_at_flash_op(0)
        assert board.read_flash() == cut.content, cut


def test_all_torn_bytes_are_enumerated_on_demand(board: EmulatedBoard) -> None:
    recording = record(board, doing(BOTH))
    programmed = [len(o.data) for o in recording.operations if o.kind == "program"]
    erased = len([o for o in recording.operations if o.kind == "erase"])
    torn = [cut for cut in recording.cuts("every") if cut.how == "torn"]
    assert len(torn) == sum(size - 1 for size in programmed) + 127 * erased
    assert len(set(map(str, torn))) == len(torn)
    assert len(list(recording.cuts("whole"))) == len(recording.operations) + 1


def test_contents_do_not_depend_on_the_order_in_which_one_asks(board: EmulatedBoard) -> None:
    cuts = list(record(board, doing(WRITE % "new")).cuts())
    forwards = [cut.content for cut in cuts]
    assert [cut.content for cut in reversed(cuts)] == forwards[::-1]


def test_a_running_board_keeps_its_flash_to_itself(board: EmulatedBoard) -> None:
    content = board.read_flash()
    board.power_on()
    with pytest.raises(BoardError, match="power it off first"):
        board.write_flash(content)


def test_flipped_bits_are_read_back(board: EmulatedBoard) -> None:
    image = board.read_flash().image
    at = image.rindex(b"old old old")
    board.flip_flash_bits(at, 0x01)
    assert asked(board, "'nld' in open('v').read()") is True
    with pytest.raises(HarnessError, match="no byte"):
        board.flip_flash_bits(len(image))


def test_a_full_filesystem_refuses_and_keeps_what_it_has(board: EmulatedBoard) -> None:
    fill_filesystem(board)
    with pytest.raises(RemoteError, match="28"):
        doing("f = open('w', 'w'); f.write('x' * 20000); f.close()")(board)
    board.power_off()
    assert asked(board, "open('v').read(4)") == "old "
    assert asked(board, "len(open('w').read())", f"__import__('os').remove('{FILLER}')") == 0


def test_a_blank_chip_cannot_be_filled(tmp_path: Path) -> None:
    with (
        EmulatedBoard(tmp_path / "board") as board,
        pytest.raises(HarnessError, match="cannot fill"),
    ):
        fill_filesystem(board)


def test_worn_out_nvs_fails_and_is_erased_by_the_next_reset(board: EmulatedBoard) -> None:
    board.wear_out_nvs(writes=1)
    with at_prompt(board) as repl:
        repl.exec("import esp32; n = esp32.NVS('n'); n.set_i32('i', 5)")
        with pytest.raises(RemoteError, match="ESP_ERR_NVS_NOT_ENOUGH_SPACE"):
            repl.exec("n.set_i32('i', 6)")
        assert repl.eval("n.get_i32('i')") == 5
    board.power_off()
    with pytest.raises(RemoteError, match="ESP_ERR_NVS_NOT_FOUND"):
        asked(board, "__import__('esp32').NVS('n').get_i32('i')")

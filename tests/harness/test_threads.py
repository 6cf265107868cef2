# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Threads of a program: one at a time, and none of them ends the board."""

import time

import pytest

from muster_harness import EmulatedBoard

_COUNT = """
import _thread, time
n = 0
def count(until):
    global n
    while n < until:
        time.sleep_ms(2)
        n += 1
"""


def test_a_thread_runs_on_while_the_prompt_waits(board: EmulatedBoard) -> None:
    board.exec(_COUNT + "_thread.start_new_thread(count, (50,))")
    end = time.monotonic() + 10
    while board.eval("n") < 50:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_thread_gets_its_turn_beside_a_main_thread_that_computes(board: EmulatedBoard) -> None:
    said = board.exec(
        _COUNT + "_thread.start_new_thread(count, (20,))\nwhile n < 20:\n    pass\nprint(n)"
    )
    assert said == "20\n"


def test_ctrl_c_ends_the_main_thread_beside_one_that_never_ends(board: EmulatedBoard) -> None:
    # It gives up the interpreter's lock now and then. One that only computes may keep it from the
    # others for minutes, where other programs want the host's cores: the lock is not a fair one.
    code = "import _thread, time\ndef busy():\n    while True:\n        time.sleep_ms(1)\n"
    board.exec(code + "_thread.start_new_thread(busy, ())")
    board.write(b"while True: print('ro' + 'und'); time.sleep(1)\r\n\r\n")
    board.expect(rb"round", 10)  # a Ctrl-C before that would end the line, and nothing else
    board.forget_output()
    board.write(b"\x03")
    board.expect(rb"KeyboardInterrupt", 10)
    assert board.exec("print(6 * 7)") == "42\n"


def test_each_ctrl_c_is_for_the_main_thread_whichever_others_sleep(board: EmulatedBoard) -> None:
    board.exec(_COUNT + "_thread.start_new_thread(count, (1 << 30,))")
    for _ in range(60):
        board.write(b"while True: print('ro' + 'und'); time.sleep_ms(20)\r\n\r\n")
        board.expect(rb"round", 10)
        board.forget_output()
        board.write(b"\x03")
        board.expect(rb"KeyboardInterrupt", 10)
        board.exec("pass")
        board.forget_output()
    before, end = board.eval("n"), time.monotonic() + 10
    while board.eval("n") == before:  # it runs on
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_reset_ends_all_threads(board: EmulatedBoard, kind: str) -> None:
    board.exec(_COUNT + "_thread.start_new_thread(count, (1 << 30,))")
    board.reset(kind)  # type: ignore[arg-type]
    board.expect(rb">>> ")
    assert board.exec("print('n' in globals())") == "False\n"


def test_threads_that_change_one_dict_do_it_no_harm(board: EmulatedBoard) -> None:
    said = board.exec(
        """
import _thread, time
shared = {}
done = 0
def change(first):
    global done
    for i in range(3000):
        shared[first, i % 40] = i
        shared.pop((first, (i + 7) % 40), None)
        if i % 100 == 0:
            time.sleep_ms(0)
    done += 1
for first in range(4):
    _thread.start_new_thread(change, (first,))
while done < 4:
    time.sleep_ms(1)
print(all(isinstance(key, tuple) for key in shared))
""",
        timeout_s=60,
    )
    assert said == "True\n"


def test_hardware_answers_every_thread_its_own_question(board: EmulatedBoard) -> None:
    said = board.exec(
        """
import _thread, time, machine
wrong = done = 0
def ask(pin, level):
    global wrong, done
    p = machine.Pin(pin, machine.Pin.OUT, value=level)
    for _ in range(200):
        wrong += p.value() != level
    done += 1
for pin, level in ((4, 0), (5, 1), (18, 0), (19, 1)):
    _thread.start_new_thread(ask, (pin, level))
while done < 4:
    machine.unique_id()
print(wrong)
""",
        timeout_s=60,
    )
    assert said == "0\n"

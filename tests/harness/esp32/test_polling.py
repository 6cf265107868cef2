# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A program that polls: fast enough, without heap, each object asked once."""

from collections.abc import Iterator

import pytest

from muster_harness import REPL, EmulatedBoard

_TWO = """
import gc, io, select, socket, time
def pair():
    listening = socket.socket()
    listening.bind(("127.0.0.1", 8080))
    listening.listen(1)
    calling = socket.socket()
    calling.connect(("127.0.0.1", 8080))
    answering, _ = listening.accept()
    listening.close()
    return calling, answering
near, far = pair()
poll = select.poll()
poll.register(near, select.POLLIN)
"""


@pytest.fixture
def repl(board: EmulatedBoard) -> Iterator[REPL]:
    with board.repl() as repl:
        repl.exec(_TWO)
        yield repl


def test_a_look_takes_far_less_than_a_millisecond(repl: REPL) -> None:
    repl.exec("""
def look():
    begin = time.ticks_us()
    poll.poll(0)
    return time.ticks_diff(time.ticks_us(), begin)
""")
    assert repl.eval("min(look() for _ in range(50))") < 500


def test_looking_in_vain_takes_no_heap(repl: REPL) -> None:
    repl.exec("""
def taken():
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(100):
        poll.ipoll(0)
    return gc.mem_alloc() - before
""")
    assert repl.eval("taken()") < 100  # not one block for each


def test_a_wait_ends_when_something_comes(repl: REPL) -> None:
    assert repl.eval("poll.poll(20)") == []
    repl.exec("far.send(b'x'); found = poll.poll(5000)")
    assert repl.eval("found[0][0] is near, found[0][1]") == (True, 1)
    repl.exec("near.close()")
    assert repl.eval("poll.poll(0)[0][1]") == 32  # POLLNVAL
    assert repl.eval("poll.unregister(near), poll.poll(0)") == (None, [])


def test_a_socket_that_is_closed_while_others_wait_takes_no_wait_away(repl: REPL) -> None:
    repl.exec("""
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other.bind(("127.0.0.1", 8081))
poll.register(other, select.POLLIN)
poll.poll(5)
poll.unregister(other)
other.close()
begin = time.ticks_ms()
poll.poll(50)
""")
    assert repl.eval("time.ticks_diff(time.ticks_ms(), begin)") >= 50


def test_one_shot_tells_once(repl: REPL) -> None:
    repl.exec("far.send(b'x'); poll.poll(5000)")
    assert repl.eval("[len(list(poll.ipoll(0, 1))) for _ in range(2)]") == [1, 0]
    repl.exec("poll.modify(near, select.POLLIN)")
    assert repl.eval("[event for _, event in poll.ipoll(0)]") == [1]


def test_an_object_of_the_program_s_own_is_asked_once(repl: REPL) -> None:
    repl.exec("""
class Own(io.IOBase):
    asked = 0
    def ioctl(self, request, argument):
        if request != 3:
            return -1
        self.asked += 1
        return argument
own = Own()
poll.register(own, select.POLLIN)
found = poll.poll(1000)
""")
    assert repl.eval("own.asked, found == [(own, 1)]") == (1, True)


def test_what_cannot_be_polled_is_refused(repl: REPL) -> None:
    for wrong in ("5", "object()"):
        with pytest.raises(OSError, match="stream operation not supported"):
            repl.exec(f"poll.register({wrong})")
    with pytest.raises(OSError, match="2"):
        repl.exec("poll.modify(far, 1)")

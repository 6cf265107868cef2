# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The NTP client: what it believes, and for how long it waits.

import asyncio
import socket
import time

from runner import araises

from muster import ntp
from muster.errors import DeviceError

_COOKIE = b"12345678"
_NOW = 1795400000


def _answer(cookie=_COOKIE, first=0x24, stratum=2, seconds=_NOW + 2208988800):
    head = bytes([first, stratum]) + bytes(22)
    return head + cookie + bytes(8) + (seconds & 0xFFFFFFFF).to_bytes(4, "big") + bytes(4)


def test_an_answer_to_our_question_gives_the_time():
    assert ntp.parse(_answer(), _COOKIE) == _NOW


def test_the_era_after_2036_is_understood():
    late = 2208988800 + 2200000000
    assert ntp.parse(_answer(seconds=late), _COOKIE) == 2200000000


def test_what_is_no_answer_to_our_question_is_passed_over():
    assert ntp.parse(_answer(b"87654321"), _COOKIE) is None
    assert ntp.parse(_answer()[:47], _COOKIE) is None
    assert ntp.parse(b"", _COOKIE) is None
    assert ntp.parse(_answer(first=0x23), _COOKIE) is None  # from a client


def test_a_server_that_does_not_know_the_time_is_not_believed():
    assert ntp.parse(_answer(first=0xE4), _COOKIE) is None  # the alarm of an unset clock
    assert ntp.parse(_answer(stratum=16), _COOKIE) is None
    assert ntp.parse(_answer(stratum=0), _COOKIE) is None  # "kiss of death"


def _listener():
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for port in range(40123, 40223):
        try:
            listener.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
            listener.setblocking(False)
            return listener, port
        except OSError:
            pass
    raise OSError("no port")


# Answers as reply(question) says, and counts what else the loop could do meanwhile.
async def _asked(reply, timeout_ms):
    listener, port = _listener()
    turns = [0]

    async def serve():
        while True:
            turns[0] += 1
            try:
                question, sender = listener.recvfrom(100)
                for packet in reply(question):
                    listener.sendto(packet, sender)
            except OSError:
                pass
            await asyncio.sleep_ms(5)

    server = asyncio.create_task(serve())
    try:
        return await ntp.ask("127.0.0.1", timeout_ms, port), turns[0]
    finally:
        server.cancel()
        listener.close()


async def test_the_right_answer_is_found_among_wrong_ones():
    def reply(question):
        cookie = question[40:48]
        return [b"", _answer(), _answer(cookie, stratum=0), _answer(cookie)]

    assert (await _asked(reply, 2000))[0] == _NOW


async def test_a_lost_question_is_asked_again():
    questions = []

    def reply(question):
        questions.append(question)
        return [_answer(question[40:48])] if len(questions) > 1 else []

    assert (await _asked(reply, 3000))[0] == _NOW


async def test_a_silent_server_costs_its_deadline_and_stops_nobody():
    start = time.ticks_ms()
    error = await araises(DeviceError, _asked(lambda question: [], 300))
    assert error.code == "clock_unknown"
    assert "127.0.0.1" in error.detail
    assert 300 <= time.ticks_diff(time.ticks_ms(), start) < 800

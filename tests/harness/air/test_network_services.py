# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A network of the air serves names that may lie, a time that is set, a captive page."""

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.test_sockets import SETUP

LOOK_UP = """
def look_up(name):
    try:
        return socket.getaddrinfo(name, 80)[0][-1][0]
    except OSError as e:
        return e.errno
"""


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = air.failure_s = 0.01
    return air.add_access_point("home", dhcp_s=0.01)


@pytest.fixture
def joined(repl: REPL, point: AccessPoint) -> REPL:
    repl.exec(SETUP + LOOK_UP + "join('home')")
    return repl


def test_names_are_what_the_script_says(joined: REPL, point: AccessPoint) -> None:
    point.names["platform.example"] = point.gateway
    assert joined.eval("look_up('platform.example')") == point.gateway
    assert joined.eval("look_up('Platform.Example')") == point.gateway
    assert joined.eval("look_up('absent.example')") == -202  # as if nobody had answered
    point.names["platform.example"] = "10.9.8.7"  # a lie
    assert joined.eval("look_up('platform.example')") == "10.9.8.7"
    point.dns.everything = point.gateway
    point.names["platform.example"] = None
    assert joined.eval("(look_up('platform.example'), look_up('other'))") == (-202, point.gateway)
    assert point.dns.asked[-2:] == ["platform.example", "other"]


def test_a_name_server_may_be_silent_or_far(joined: REPL, point: AccessPoint) -> None:
    point.names["far.example"] = point.gateway
    point.dns.is_silent, point.dns.patience_s = True, 0.1
    assert joined.eval("look_up('far.example')") == -202
    point.dns.is_silent, point.impairment.latency_s = False, 0.05
    joined.exec("start = time.ticks_ms(); found = look_up('far.example')")
    assert joined.eval("(found, time.ticks_diff(time.ticks_ms(), start) >= 95)") == (
        point.gateway,
        True,
    )


def test_ntptime_gets_the_time_that_is_set(joined: REPL, point: AccessPoint) -> None:
    with point.serve_time(unix=1_893_456_000) as clock:  # 2030-01-01
        joined.exec("import ntptime; ntptime.settime()")
        assert joined.eval("time.gmtime()[:5]") == (2030, 1, 1, 0, 0)
        assert joined.eval("time.gmtime()[6]") == 1  # a Tuesday
        clock.set(2_098_353_600)  # 2036-06-29: NTP's seconds have begun anew
        assert joined.eval("time.gmtime(ntptime.time())[:3]") == (2036, 6, 29)
        assert clock.queries == 2
        clock.is_silent = True
        joined.exec("ntptime.timeout = 0.1")
        assert joined.eval("errno_of(ntptime.time)") == 116


def test_a_captive_network_answers_everything_with_its_page(
    joined: REPL, point: AccessPoint
) -> None:
    captive = point.hold_captive(b"pay first", status=302)
    joined.exec("""
def get(name, port):
    s = socket.socket()
    s.settimeout(5)
    s.connect((look_up(name), port))
    s.send(b'GET /x HTTP/1.1\\r\\nHost: ' + name.encode() + b'\\r\\n\\r\\n')
    answer = b''
    while not answer.endswith(b'pay first'):
        answer += s.recv(1000)
    s.close()
    return answer
""")
    answer = joined.eval("get('platform.example', 8422)")
    assert answer.startswith(b"HTTP/1.1 302") and answer.endswith(b"pay first")
    assert captive.requests == ["GET /x HTTP/1.1"]
    point.release_captive()
    assert joined.eval("look_up('platform.example')") == -202


def test_the_trace_tells_who_was_joined_where(
    joined: REPL, board: EmulatedBoard, point: AccessPoint, air: Air
) -> None:
    air.add_access_point("other", dhcp_s=0.01)
    joined.exec("w.disconnect(); join('other')")
    with air.visit("home", name="phone"):
        pass
    stays = [(s.board, s.ssid, s.until is None) for s in air.stays()]
    assert stays == [
        (board.name, b"home", False),
        (board.name, b"other", True),
        ("phone", b"home", False),
    ]
    first, second = air.stays(board.name)
    assert first.since < (first.until or 0) <= second.since


def test_a_change_of_channel_is_a_loss_and_a_new_join(
    joined: REPL, point: AccessPoint, air: Air
) -> None:
    point.channel = 11
    joined.exec("while not w.isconnected(): time.sleep_ms(2)")
    assert joined.eval("w.config('channel')") == 11
    assert [e.details["channel"] for e in air.traced("join")] == [1, 11]

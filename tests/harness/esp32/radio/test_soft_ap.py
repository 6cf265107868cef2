# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board as an access point: a network of the air that phones and other boards join."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from muster_harness.air.air import Air
from muster_harness.errors import AirError, JoinRefused, RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.test_sockets import SETUP

OPEN_AP = """
ap = network.WLAN(network.AP_IF)
ap.active(True)
ap.config(ssid='setup', key='press the button', security=3, channel=6, max_clients=2)
"""
# Serves one page to so many connections; `ready` is printed once it listens.
SERVE = """
def serve(times, before=lambda: None):
    l = socket.socket()
    l.bind(('0.0.0.0', 80))
    l.listen(2)
    l.settimeout(10)
    print('ready')
    before()
    for _ in range(times):
        s, a = l.accept()
        peers.append(a)
        s.recv(1000)
        s.send(b'HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello')
        s.close()
    l.close()
peers = []
"""
KEY = "press the button"


@pytest.fixture
def ap(repl: REPL, air: Air) -> REPL:
    air.scan_s = air.association_s = air.failure_s = 0.01
    repl.exec(SETUP + OPEN_AP + SERVE)
    return repl


@contextmanager
def running(repl: REPL, board: EmulatedBoard, code: str) -> Iterator[None]:
    """Lets the board run something meanwhile; it has begun once it has printed `ready`."""
    board.forget_output()
    thread = threading.Thread(target=repl.exec, args=(code,))
    thread.start()
    try:
        board.expect(b"ready")
        yield
    finally:
        thread.join(20)


def test_it_is_heard_as_it_was_configured(ap: REPL, air: Air) -> None:
    point = air.access_point("setup")
    assert (point.channel, point.security, point.hidden) == (6, 3, False)
    assert ap.eval("ap.ifconfig()[:3]") == (point.gateway, "255.255.255.0", point.gateway)
    assert ap.eval("ap.ipconfig('addr4')") == (point.gateway, "255.255.255.0")
    names = "('ssid', 'essid', 'security', 'authmode', 'channel', 'max_clients', 'hidden')"
    wanted = ["setup", "setup", 3, 3, 6, 2, False]
    assert ap.eval(f"[ap.config(name) for name in {names}]") == wanted
    assert ap.eval("ap.config('mac')") == point.bssid
    assert ap.eval("(ap.status(), ap.isconnected(), ap.status('stations'))") == (None, False, [])
    assert ap.eval("(ap.active(False), ap.active())") == (False, False)
    with pytest.raises(RemoteError, match="OSError: Wifi Invalid Mode"):
        ap.exec("ap.status('stations')")
    assert ap.eval("ap.ifconfig()[0]") == "0.0.0.0"  # noqa: S104 (what a board says)
    with pytest.raises(AirError, match="setup"):
        air.access_point("setup")


def test_a_browser_reaches_port_80_through_a_visitor(
    ap: REPL, board: EmulatedBoard, air: Air
) -> None:
    with running(ap, board, "serve(2)"), air.visit("setup", KEY) as phone:
        assert requests.get(phone.url(), timeout=5).text == "hello"
        assert requests.get(phone.url(80, "/x?y"), timeout=5).text == "hello"
        address, mac = phone.address, phone.mac
        assert air.access_point("setup").stations == [phone]
    assert {peer[0] for peer in ap.eval("peers")} == {address}
    assert mac and ap.eval("(ap.isconnected(), ap.status('stations'))") == (False, [])


def test_stations_are_listed_with_their_addresses(ap: REPL, air: Air) -> None:
    with air.visit("setup", KEY) as phone:
        assert ap.eval("(ap.isconnected(), ap.status('stations'))") == (
            True,
            [(phone.mac, phone.address)],
        )


def test_nobody_outside_its_network_gets_in(ap: REPL, board: EmulatedBoard, air: Air) -> None:
    with running(ap, board, "serve(1)"), air.visit("setup", KEY) as phone:
        gateway = air.access_point("setup").gateway
        with socket.create_connection((gateway, 20080), 2) as stranger:
            stranger.settimeout(2)
            assert stranger.recv(10) == b""
        assert requests.get(phone.url(), timeout=5).text == "hello"
    assert len(ap.eval("peers")) == 1


@pytest.mark.parametrize(("password", "reason"), [("wrong one", 202), (None, 210)])
def test_a_wrong_password_is_refused(
    ap: REPL, air: Air, password: str | None, reason: int
) -> None:
    with pytest.raises(JoinRefused, match="password") as refused:
        air.visit("setup", password)
    assert refused.value.reason == reason


def test_no_more_guests_than_it_takes(ap: REPL, air: Air) -> None:
    with (
        air.visit("setup", KEY),
        air.visit("setup", KEY, name="laptop"),
        pytest.raises(JoinRefused, match="room"),
    ):
        air.visit("setup", KEY, name="third")
    air.visit("setup", KEY, name="third").close()


def test_switching_it_off_cuts_connections(ap: REPL, air: Air) -> None:
    ap.exec("l = socket.socket(); l.bind(('', 80)); l.listen(1); l.settimeout(5)")
    phone = air.visit("setup", KEY)
    with socket.create_connection(phone.endpoint(80), 5) as browser:
        browser.settimeout(5)
        ap.exec("s, _ = l.accept(); s.settimeout(0.1); ap.active(False)")
        with pytest.raises(ConnectionResetError):
            browser.recv(10)
    assert ap.eval("errno_of(s.recv, 1)") == 116
    with pytest.raises(AirError, match="no longer joined"):
        phone.url()


def test_its_datagram_server_answers_a_visitor(ap: REPL, board: EmulatedBoard, air: Air) -> None:
    ap.exec(
        """
def answer_dns():
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.bind(('0.0.0.0', 53))
    u.settimeout(5)
    print('ready')
    q, a = u.recvfrom(500)
    head = q[:2] + b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0' + q[12:]
    own = bytes(int(x) for x in ap.ifconfig()[0].split('.'))
    u.sendto(head + b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4' + own, a)
    u.close()
"""
    )
    with running(ap, board, "answer_dns()"), air.visit("setup", KEY) as phone:
        assert phone.resolve("captive.apple.com") == phone.network.gateway


def test_another_board_joins_and_both_roles_work_at_once(
    ap: REPL, board: EmulatedBoard, air: Air, tmp_path: Path
) -> None:
    home = air.add_access_point("home", channel=6)
    ap.exec("join('home')")
    assert ap.eval("w.ifconfig()[0]").startswith(home.addresses.prefix)
    with EmulatedBoard(tmp_path / "second", air=air) as second:
        second.power_on()
        second.expect(rb">>> ")
        with REPL(second.port) as other, running(ap, board, "serve(1)"):
            other.exec(SETUP + "w.connect('setup', 'press the button')")
            other.exec("while not w.isconnected(): time.sleep_ms(2)")
            other.exec("s = socket.socket(); s.settimeout(5); s.connect((w.ifconfig()[2], 80))")
            assert other.eval("(s.send(b'GET'), s.recv(100)[-5:])") == (3, b"hello")
            assert other.eval("w.ifconfig()[0]").startswith(
                air.access_point("setup").addresses.prefix
            )
    assert ap.eval("w.isconnected()") is True


def test_joining_takes_the_access_point_to_the_joined_channel(ap: REPL, air: Air) -> None:
    air.add_access_point("home", channel=11)
    with air.visit("setup", KEY) as phone:
        ap.exec("join('home')")
        assert air.access_point("setup").channel == 11
        assert ap.eval("(ap.config('channel'), w.config('channel'))") == (11, 11)
        with pytest.raises(AirError, match="no longer joined"):
            phone.url()
    ap.exec("ap.config(channel=3)")
    assert air.access_point("setup").channel == 11


def test_what_opens_beside_a_joined_station_is_on_its_channel(ap: REPL, air: Air) -> None:
    air.add_access_point("home", channel=11)
    ap.exec("join('home'); ap.active(False); ap.active(True)")
    assert air.access_point("setup").channel == 11
    with air.visit("setup", KEY) as phone:
        ap.exec("w.disconnect(); join('home')")
        assert phone.url()  # the channel is the same: nobody had to go


def test_it_is_deaf_while_the_station_side_scans(ap: REPL, board: EmulatedBoard, air: Air) -> None:
    air.scan_s = 0.3
    with running(ap, board, "serve(1, w.scan)"):
        while "setup" in [p.ssid.decode() for p in air.heard_by("someone")]:
            time.sleep(0.001)
        with air.visit("setup", KEY) as phone:  # joins once the scan is over
            assert requests.get(phone.url(), timeout=5).text == "hello"
    scan = air.traced("scan")[0].at
    assert air.traced("join", board="phone")[0].at >= scan - 0.05


def test_what_the_driver_refuses(ap: REPL) -> None:
    for settings, words in [
        ("key='short'", "OSError: Wifi Invalid Password"),
        ("security=1", "RuntimeError: Wifi Unknown Error 0x0102"),
        ("security=5", "RuntimeError: Wifi Unknown Error 0x0102"),
        ("reconnects=1", "OSError: STA required"),
        ("nonsense=1", "ValueError: unknown config param"),
    ]:
        with pytest.raises(RemoteError, match=words):
            ap.exec(f"ap.config({settings})")
    with pytest.raises(RemoteError, match="OSError: AP required"):
        ap.exec("w.config(ssid='x')")
    with pytest.raises(RemoteError, match="ValueError: unknown config param"):
        ap.exec("ap.config('password')")
    assert ap.eval("(ap.config('ssid'), ap.config('security'))") == ("setup", 3)


def test_a_key_alone_leaves_it_open(repl: REPL, air: Air) -> None:
    # authmode stays 0 (network_wlan.c; micropython#8407)
    repl.exec("import network; ap = network.WLAN(1); ap.config(ssid='x', key='long enough')")
    repl.exec("ap.active(True)")
    air.visit("x").close()


def test_it_survives_a_soft_reset_and_listens_again(
    ap: REPL, board: EmulatedBoard, air: Air
) -> None:
    with air.visit("setup", KEY) as phone:
        ap.close()
        with REPL(board.port, soft_reset=True) as again:
            again.exec(SETUP + SERVE + "ap = network.WLAN(1)")
            assert again.eval("(ap.active(), ap.isconnected())") == (True, True)
            with running(again, board, "serve(1)"):
                assert requests.get(phone.url(), timeout=5).text == "hello"
    board.power_off()
    with pytest.raises(AirError):
        air.access_point("setup")

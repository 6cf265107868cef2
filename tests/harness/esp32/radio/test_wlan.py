# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""network.WLAN behaves as network_wlan.c does, quirks included."""

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

SETUP = """
import network, time
w = network.WLAN()
w.active(True)
def until(f, ms=20000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while not f():
        if time.ticks_diff(end, time.ticks_ms()) < 0:
            raise OSError("until() waited in vain, status %s" % w.status())
        time.sleep_ms(2)
"""


@pytest.fixture
def wlan(repl: REPL, air: Air) -> REPL:
    air.association_s = air.failure_s = 0.03
    air.scan_s = 0.02
    repl.exec(SETUP)
    return repl


def test_scan_gives_raw_ssids_strongest_first(wlan: REPL, air: Air) -> None:
    air.add_access_point(b"\xc6net", password="longenough", channel=3, rssi=-70)
    air.add_access_point("open", channel=11, rssi=-40)
    air.add_access_point("hidden", hidden=True, rssi=-60)
    assert wlan.eval("[(s[0],) + s[2:] for s in w.scan()]") == [
        (b"open", 11, -40, 0, False),
        (b"", 1, -60, 0, False),
        (b"\xc6net", 3, -70, 3, False),
    ]


def test_a_failed_scan_is_an_empty_list(wlan: REPL, air: Air) -> None:
    air.add_access_point("there")
    air.scan_fails = 1
    assert wlan.eval("(w.scan(), len(w.scan()))") == ([], 1)


def test_joining_reports_connecting_then_the_address(wlan: REPL, air: Air) -> None:
    point = air.add_access_point("home", password="longenough", channel=6, rssi=-44)
    assert wlan.eval("(w.status(), w.connect('home', 'longenough'), w.status())") == (
        1000,
        None,
        1001,
    )
    wlan.exec("until(w.isconnected)")
    assert wlan.eval("(w.status(), w.status('rssi'), w.config('channel'))") == (1010, -44, 6)
    address = point.network.replace("0/24", "2")
    assert wlan.eval("w.ifconfig()") == (address, "255.255.255.0", point.gateway, point.gateway)
    assert wlan.eval("w.ipconfig('addr4')") == (address, "255.255.255.0")


def test_a_key_in_hex_joins_too(wlan: REPL, air: Air) -> None:
    # IEEE 802.11i annex H.4, test vector for passphrase "password" and SSID "IEEE"
    air.add_access_point("IEEE", password="password")
    key = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    wlan.exec(f"w.connect('IEEE', '{key}'); until(w.isconnected)")


@pytest.mark.parametrize(("reason", "status"), [(202, 202), (205, 202), (204, 1001), (15, 1001)])
def test_a_wrong_password_shows_as_its_reason_or_not_at_all(
    wlan: REPL, air: Air, reason: int, status: int
) -> None:
    air.add_access_point("home", password="longenough", wrong_password_reason=reason)
    wlan.exec("w.connect('home', 'wrong pass'); time.sleep_ms(80)")
    assert wlan.eval("w.status()") == status
    wlan.exec("w.disconnect()")
    assert wlan.eval("w.status()") == 1000


# network_wlan_status(): a few reasons come before "still connecting", the others after it
SEEN_AT_ONCE = {201: 201, 212: 212, 211: 211, 210: 210, 202: 202, 205: 202, 8: 1000}
SEEN_IN_THE_END = {2: 2, 15: 15, 200: 200, 203: 203, 204: 204, 206: 206}


@pytest.mark.parametrize("reason", [*SEEN_AT_ONCE, *SEEN_IN_THE_END])
def test_status_shows_reasons_in_the_ports_order(wlan: REPL, air: Air, reason: int) -> None:
    air.add_access_point("home").refuses_with = reason
    wlan.exec("w.connect('home'); time.sleep_ms(60)")
    assert wlan.eval("w.status()") == SEEN_AT_ONCE.get(reason, 1001)
    wlan.exec("w.disconnect(); w.config(reconnects=0); w.connect('home'); time.sleep_ms(60)")
    assert wlan.eval("w.status()") == {**SEEN_AT_ONCE, **SEEN_IN_THE_END}[reason]


@pytest.mark.parametrize("reconnects", [0, 2])
def test_a_limit_of_reconnects_is_that_many_more_attempts(
    wlan: REPL, air: Air, reconnects: int
) -> None:
    air.add_access_point("home", password="longenough", wrong_password_reason=15)
    assert wlan.eval("w.config('reconnects')") == -1
    wlan.exec(f"w.config(reconnects={reconnects}); w.connect('home', 'wrong pass')")
    wlan.exec("until(lambda: w.status() == 15)")
    assert wlan.eval("w.config('reconnects')") == reconnects
    assert len(air.traced("refused")) == 1 + reconnects


def test_connect_without_a_target_joins_that_of_last_time(wlan: REPL, air: Air) -> None:
    air.add_access_point("home", channel=3)
    there = air.add_access_point("home", channel=9)
    wlan.exec(f"w.connect('home', bssid={there.bssid!r}); until(w.isconnected)")
    wlan.exec("w.disconnect(); w.connect(); until(w.isconnected)")
    assert wlan.eval("(w.config('channel'), w.config('ssid'))") == (9, "home")


def test_by_default_it_tries_for_ever(wlan: REPL, air: Air) -> None:
    wlan.exec("w.connect('absent'); time.sleep_ms(150)")
    assert wlan.eval("w.status()") == 201
    assert len(air.traced("refused")) >= 3
    air.add_access_point("absent")
    wlan.exec("until(w.isconnected)")


def test_the_reason_of_the_last_attempt_is_stale_until_an_address(wlan: REPL, air: Air) -> None:
    air.add_access_point("home")
    wlan.exec("w.config(reconnects=0); w.connect('absent'); until(lambda: w.status() == 201)")
    assert wlan.eval("(w.connect('home'), w.status())") == (None, 201)
    wlan.exec("until(w.isconnected)")
    assert wlan.eval("w.status()") == 1010


def test_connect_while_connecting_or_connected_is_refused(wlan: REPL, air: Air) -> None:
    point = air.add_access_point("home", dhcp_s=None)  # it connects until it has an address
    for words in ("Wifi Internal State Error", "Wifi Internal Error"):
        wlan.exec("if w.status() == 1000: w.connect('home')")
        with pytest.raises(RemoteError, match=f"OSError: {words}"):
            wlan.exec("w.connect('home')")
        with pytest.raises(RemoteError, match="OSError: Wifi Internal Error"):
            wlan.exec("w.connect()")  # sets nothing
        point.dhcp_s = 0.02
        wlan.exec("until(w.isconnected)")


def test_what_is_refused_and_in_which_words(repl: REPL) -> None:
    repl.exec("import network; w = network.WLAN()")
    for code, words in [
        ("w.connect('x')", "Wifi Not Started"),
        ("w.disconnect()", "Wifi Not Started"),
        ("w.scan()", "STA must be active"),
        ("w.status('rssi')", "Wifi Not Connected"),
        ("w.config('nonsense')", "ValueError: unknown config param"),
        ("network.WLAN(7)", "ValueError: invalid WLAN interface identifier"),
        ("w.connect(ssid='x')", "TypeError"),  # positional only
        ("w.connect('x', bssid=b'short')", "ValueError"),
        ("w.config('mac', pm=0)", "TypeError: either pos or kw args are allowed"),
        ("w.config('mac', 'pm')", "TypeError: can query only one param"),
        ("w.config('key')", "ValueError: unknown config param"),
        ("w.config('hidden')", "OSError: AP required"),
        ("w.status('stations')", "OSError: AP required"),
        ("w.status('noise')", "ValueError: unknown status param"),
        ("network.WLAN(1).status('rssi')", "OSError: STA required"),
        ("network.WLAN(1).config('reconnects')", "OSError: STA required"),
        ("w.ipconfig('nonsense')", "ValueError: unexpected key"),
        ("w.ipconfig('gw4', gw4='1.2.3.4')", "TypeError: can't specify pos and kw args"),
        ("w.ifconfig('static')", "ValueError: invalid arguments"),
        ("network.WLAN(1).ipconfig('dhcp4')", "ValueError: unexpected key"),
        ("network.ipconfig(dns='x')", "ValueError: invalid arguments as dns server"),
        ("network.ipconfig('gw4')", "ValueError: unexpected key"),
        ("network.hostname('n' * 33)", "ValueError"),
    ]:
        with pytest.raises(RemoteError, match=words):
            repl.exec(code)


@pytest.mark.parametrize(
    ("password", "key", "status"), [("longenough", "", 210), (None, "longenough", 211)]
)
def test_a_security_mismatch_is_told(
    wlan: REPL, air: Air, password: str | None, key: str, status: int
) -> None:
    air.add_access_point("home", password=password)
    wlan.exec(f"w.connect('home', {key!r}); time.sleep_ms(80)")
    assert wlan.eval("w.status()") == status


def test_association_without_dhcp_is_not_a_connection(wlan: REPL, air: Air) -> None:
    air.add_access_point("mute", dhcp_s=None)
    wlan.exec("w.connect('mute'); time.sleep_ms(100)")
    assert air.traced("join")
    assert wlan.eval("(w.isconnected(), w.status(), w.status('rssi'))") == (False, 1001, -50)


def test_a_static_address_needs_no_dhcp(wlan: REPL, air: Air) -> None:
    point = air.add_access_point("mute", dhcp_s=None)
    address = point.network.replace("0/24", "77")
    wlan.exec(f"w.ipconfig(addr4='{address}/24', gw4='{point.gateway}')")
    wlan.exec("w.connect('mute'); until(w.isconnected)")
    assert wlan.eval("w.ifconfig()")[:3] == (address, "255.255.255.0", point.gateway)
    assert wlan.eval("w.ipconfig('dhcp4')") is False


def test_an_access_point_that_vanishes_takes_the_address_along(wlan: REPL, air: Air) -> None:
    point = air.add_access_point("home")
    wlan.exec("w.connect('home'); until(w.isconnected)")
    point.remove()
    wlan.exec("until(lambda: not w.isconnected()); until(lambda: w.status() == 201)")
    point.restore()
    wlan.exec("until(w.isconnected)")


def test_a_board_out_of_range_hears_nothing(wlan: REPL, air: Air, board: EmulatedBoard) -> None:
    point = air.add_access_point("far")
    wlan.exec("w.connect('far'); until(w.isconnected)")
    point.lose(board.name)
    assert wlan.eval("(w.isconnected(), w.scan())") == (False, [])
    point.reach(board.name)
    wlan.exec("until(w.isconnected)")


def test_wifi_survives_a_soft_reset_but_no_hard_one(board: EmulatedBoard, air: Air) -> None:
    air.add_access_point("home")
    with REPL(board.port) as repl:
        repl.exec(SETUP + "w.connect('home'); until(w.isconnected)")
    with REPL(board.port, soft_reset=True) as repl:
        repl.exec("import network; w = network.WLAN()")
        assert repl.eval("(w.active(), w.isconnected())") == (True, True)
        with pytest.raises(RemoteError, match="OSError: Wifi Internal Error"):
            repl.exec("w.connect('home')")  # what programs run into after a soft reset
        assert repl.eval("w.isconnected()") is True
    board.forget_output()
    board.reset()
    board.expect(rb">>> ")
    with REPL(board.port) as repl:
        repl.exec("import network; w = network.WLAN()")
        assert repl.eval("(w.active(), w.isconnected(), w.status())") == (False, False, 1000)


def test_hostname_and_country(repl: REPL) -> None:
    repl.exec("import network; w = network.WLAN()")
    assert repl.eval("[w.config(x) for x in ('pm', 'txpower', 'protocol', 'bandwidth')]") == [
        1,
        20.0,
        7,
        2,
    ]
    repl.exec("w.config(pm=0, txpower=8.6); network.ipconfig(dns='9.9.9.9')")
    assert repl.eval("(w.config('pm'), w.config('txpower'))") == (0, 8.5)
    assert repl.eval("(network.ipconfig('dns'), network.phy_mode())") == ("9.9.9.9", None)
    assert repl.eval("(network.hostname(), network.country())") == ("mpy-esp32", "XX")
    repl.exec("network.hostname('press-4'); network.country('DE')")
    assert repl.eval("(network.hostname(), network.country())") == ("press-4", "DE")
    with pytest.raises(RemoteError, match="ValueError"):
        repl.exec("network.country('DEU')")


def test_interfaces_are_singletons(repl: REPL) -> None:
    repl.exec("import network")
    assert repl.eval("network.WLAN(0) is network.WLAN(network.STA_IF)") is True
    assert repl.eval("network.WLAN(network.AP_IF).status()") is None

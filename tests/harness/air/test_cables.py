# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Boards with Ethernet: a cable is plugged, an address comes, servers are found, it is pulled."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import urlopen

from muster_harness import Air, EmulatedBoard

_LAN = """
import network, socket, time
from machine import Pin
lan = network.LAN(mdc=Pin(23), mdio=Pin(18), phy_type=network.PHY_LAN8720, phy_addr=0)
def settle(status, ms=3000):
    begin = time.ticks_ms()
    while lan.status() != status and time.ticks_diff(time.ticks_ms(), begin) < ms:
        time.sleep_ms(5)
    return lan.status() == status
"""
_SERVE = """
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 80)); s.listen(1)
print("serving")
c, _ = s.accept(); c.recv(500); c.send(b"HTTP/1.0 200 OK\\r\\n\\r\\nby cable"); c.close()
"""


def test_a_cable_gives_an_address_and_is_missed(air: Air, board: EmulatedBoard) -> None:
    home = air.add_access_point("home", password="a password of it")
    board.exec(_LAN)
    assert board.eval("lan.active(), lan.status(), lan.isconnected()") == (False, 0, False)
    assert board.eval("lan.active(True), lan.status()") == (True, 1)
    air.cables.plug("board", home)
    assert board.eval("settle(network.ETH_GOT_IP), lan.isconnected()") == (True, True)
    assert board.eval("lan.ifconfig()")[0] in home.addresses
    assert board.eval("lan.ifconfig()")[2] == home.gateway
    board.reset("soft")
    board.expect(">>> ")
    board.exec(_LAN)
    assert board.eval("lan.isconnected()") is True
    air.cables.unplug("board")
    assert board.eval("settle(network.ETH_DISCONNECTED), lan.isconnected()") == (True, False)
    air.cables.plug("board", home)
    assert board.eval("settle(network.ETH_GOT_IP)") is True
    board.reset("hard")
    board.expect(">>> ")
    board.exec(_LAN)
    assert board.eval("lan.active(), lan.status()") == (False, 0)


def test_servers_are_found_by_cable_both_ways(air: Air, board: EmulatedBoard) -> None:
    home = air.add_access_point("home", password="a password of it")
    home.names["server.example"] = home.gateway
    air.cables.plug("board", home)
    board.exec(_LAN + "lan.active(True); settle(network.ETH_GOT_IP)")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer((home.gateway, 0), Answer) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        url = f"http://server.example:{server.server_address[1]}/"
        assert board.eval(f"__import__('requests').get({url!r}).text") == "hello"
        serving.join(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((home.gateway, 0))
        listening.settimeout(5)
        to = (home.gateway, listening.getsockname()[1])
        board.exec(f"u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b'x', {to!r})")
        assert listening.recv(10) == b"x"
    board.write_file("/main.py", _LAN + "lan.active(True); settle(network.ETH_GOT_IP)" + _SERVE)
    board.reset()
    board.expect("serving")
    with urlopen(board.url(80), timeout=5) as page:  # noqa: S310
        assert page.read() == b"by cable"

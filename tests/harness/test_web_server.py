# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A web server on the board, asked from the test; and a client on it, that asks the test's."""

import ssl
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest

from muster_harness import Air, EmulatedBoard
from muster_harness.errors import BoardError
from muster_harness.units.serial_unit import SerialUnit
from tests.certificates import Authority

_SERVE = """
import asyncio
async def answer(reader, writer):
    while (await reader.readline()).strip():
        pass
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nhello from the board")
    await writer.drain()
    await writer.wait_closed()
async def main():
    await asyncio.start_server(answer, "0.0.0.0", 80)
    print("serving")
    await asyncio.sleep(60)
asyncio.run(main())
"""
_JOIN = """
import network, time
wlan = network.WLAN()
wlan.active(True)
wlan.connect("home", "a password of it")
while not wlan.isconnected():
    time.sleep_ms(10)
"""
_OPEN = """
import network
ap = network.WLAN(network.WLAN.IF_AP)
ap.config(ssid="setup", key="a password of it", security=3)
ap.active(True)
"""


@pytest.mark.parametrize("be_there", [_JOIN, _OPEN])
def test_a_page_of_the_board_is_read_through_its_network(
    air: Air, board: EmulatedBoard, be_there: str
) -> None:
    air.add_access_point("home", password="a password of it")
    board.write_file("/main.py", be_there + _SERVE)
    board.reset()
    board.expect("serving")
    for _ in range(2):
        with urlopen(board.url(80), timeout=5) as page:  # noqa: S310
            assert page.read() == b"hello from the board"


def test_a_server_that_begins_a_little_later_is_waited_for(air: Air, board: EmulatedBoard) -> None:
    air.add_access_point("home", password="a password of it")
    late = _SERVE.replace(
        "    await asyncio.start", "    await asyncio.sleep_ms(300)\n    await asyncio.start"
    )
    board.write_file("/main.py", _JOIN + "print('starting')" + late)
    board.reset()
    board.expect("starting")
    with urlopen(board.url(80), timeout=5) as page:  # noqa: S310
        assert page.read() == b"hello from the board"
    with pytest.raises(OSError):  # noqa: PT011 - after two seconds; URLError, or the reset itself
        urlopen(board.url(81), timeout=5)  # noqa: S310


def test_a_board_in_no_network_has_no_url(board: EmulatedBoard) -> None:
    with pytest.raises(BoardError, match="in no network"):
        board.url(80)


def test_a_url_of_a_board_behind_a_port_needs_its_address(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    with SerialUnit(board.port, tmp_path / "log") as unit:
        assert unit.url(8080, "/x", address="192.168.1.7") == "http://192.168.1.7:8080/x"
        with pytest.raises(BoardError, match="address="):
            unit.url()


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the test")

    def log_message(self, *_: object) -> None:
        pass


def test_a_client_on_the_board_trusts_the_test_s_authority(
    air: Air, board: EmulatedBoard, tmp_path: Path
) -> None:
    home = air.add_access_point("home", password="a password of it")
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    dates = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001
    context.load_cert_chain(*authority.issue(tmp_path, home.gateway, *dates))
    with HTTPServer((home.gateway, 8443), _Answer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.handle_request, daemon=True).start()
        board.set_time(1_800_000_000)
        board.write_file("/ca.der", authority.der)
        said = board.exec(
            _JOIN
            + f"""
import socket, tls
context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(open("/ca.der", "rb").read())
s = socket.socket()
s.connect(({home.gateway!r}, 8443))
s = context.wrap_socket(s, server_hostname={home.gateway!r})
s.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(s.read().endswith(b"hello from the test"))
"""
        )
    assert said == "True\n"

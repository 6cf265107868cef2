# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""WebREPL on the board, as clients speak it: MicroPython's docs and extmod/modwebrepl.c."""

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from muster_harness import Air, EmulatedBoard

_PASSWORD = "open sesame"[:9]
_BOOT = """
import network, time, webrepl
wlan = network.WLAN()
wlan.active(True)
wlan.connect("home", "a password of it")
while not wlan.isconnected():
    time.sleep_ms(10)
webrepl.start()
"""
_PUT, _GET, _VERSION = 1, 2, 3
_DONE = b"WB\0\0"
_WAIT_S = 20.0


class Client:
    """One connection: text frames are the terminal, binary ones files."""

    def __init__(self, connection: ClientConnection):
        self._connection = connection
        self._said = ""

    def expect(self, wanted: str) -> str:
        end = time.monotonic() + _WAIT_S
        while wanted not in self._said:
            data = self._connection.recv(timeout=max(0, end - time.monotonic()))
            self._said += data if isinstance(data, str) else data.decode()
        before, found, self._said = self._said.partition(wanted)
        return before + found

    def type(self, text: str) -> None:
        self._connection.send(text)

    def log_in(self) -> None:
        self.expect("Password: ")
        self.type(_PASSWORD + "\r")
        self.expect("WebREPL connected\r\n>>> ")

    def answer(self) -> bytes:
        data = self._connection.recv(timeout=_WAIT_S)
        assert isinstance(data, bytes)
        return data

    def _ask(self, kind: int, name: str = "", size: int = 0) -> None:
        request = struct.pack("<2sBBQIH64s", b"WA", kind, 0, 0, size, len(name), name.encode())
        self._connection.send(request[:10])  # a header may come in pieces
        self._connection.send(request[10:])

    def put(self, name: str, content: bytes) -> None:
        self._ask(_PUT, name, len(content))
        assert self.answer() == _DONE
        for at in range(0, len(content), 1024):
            self._connection.send(content[at : at + 1024])
        assert self.answer() == _DONE

    def get(self, name: str) -> bytes:
        self._ask(_GET, name)
        assert self.answer() == _DONE
        content = b""
        while True:
            self._connection.send(b"\0")
            chunk = self.answer()
            assert len(chunk) == 2 + struct.unpack("<H", chunk[:2])[0]
            if len(chunk) == 2:
                assert self.answer() == _DONE
                return content
            content += chunk[2:]

    def version(self) -> tuple[int, ...]:
        self._ask(_VERSION)
        return tuple(self.answer())


@pytest.fixture
def served(air: Air, board: EmulatedBoard) -> Iterator[EmulatedBoard]:
    air.add_access_point("home", password="a password of it")
    board.write_file("/webrepl_cfg.py", f"PASS = {_PASSWORD!r}\n")
    board.write_file("/boot.py", _BOOT)
    board.reset()
    board.expect("Started webrepl in normal mode")
    yield board


@contextmanager
def client(board: EmulatedBoard) -> Iterator[Client]:
    url = board.url(8266).replace("http:", "ws:")
    # A board answers a close, and leaves it to the client to end the connection.
    with connect(url, open_timeout=_WAIT_S, close_timeout=0.1) as connection:
        yield Client(connection)


def test_the_prompt_and_files_come_through_a_web_socket(served: EmulatedBoard) -> None:
    served.expect(">>> ")
    with client(served) as person:
        person.log_in()
        person.type("print(6 * 7)\r")
        assert "print(6 * 7)\r\n42\r\n>>> " in person.expect(">>> ")
        served.expect("42")  # both terminals show it
        content = bytes(range(256)) * 9
        person.put("/blob", content)
        assert person.get("/blob") == content
        person.put("/empty", b"")
        assert person.get("/empty") == b""
        assert person.version() == (1, 29, 0)
    served.expect("dupterm: EOF received, deactivating")
    assert served.exec("print(len(open('/blob', 'rb').read()))") == f"{256 * 9}\n"


def test_a_program_is_interrupted_from_there(served: EmulatedBoard) -> None:
    with client(served) as person:
        person.log_in()
        person.type("while True: print('busy'); time.sleep_ms(50)\r\r")
        person.expect("busy\r\n" * 3)
        person.type("\x03")
        person.expect("KeyboardInterrupt")
        person.expect(">>> ")


def test_who_does_not_know_the_password_sees_nothing(served: EmulatedBoard) -> None:
    served.expect(">>> ")
    with client(served) as stranger:
        stranger.expect("Password: ")
        served.write(b"print('a word')\r")
        stranger.type("wrong\r")
        assert "word" not in stranger.expect("denied\r\n")
        with pytest.raises(ConnectionClosed):
            stranger.expect("anything")
    with client(served) as person:
        person.log_in()


def test_a_second_client_is_turned_away_and_a_browser_gets_the_page(
    served: EmulatedBoard,
) -> None:
    with client(served) as person:
        person.log_in()
        with client(served) as other, pytest.raises(ConnectionClosed):
            other.expect("Password: ")
        person.expect("rejected")
        with urlopen(served.url(8266), timeout=_WAIT_S) as page:  # noqa: S310
            assert b"webrepl_content.js" in page.read()


def test_a_uart_can_be_the_second_terminal(board: EmulatedBoard) -> None:
    board.exec("import os, machine\nu = machine.UART(1)\nos.dupterm(u)")
    uart = board.buses.uart[1]
    board.write(b"\x02")
    uart.feed(b"print(6 * 7)\r")
    end = time.monotonic() + _WAIT_S
    while b"\r\n42\r\n" not in bytes(uart.sent):
        assert time.monotonic() < end, bytes(uart.sent)
        time.sleep(0.01)
    assert board.exec("print(os.dupterm(None) is u, os.dupterm(None))") == "True None\n"


def test_the_setup_asks_and_changes_boot_py(board: EmulatedBoard) -> None:
    board.write(b"\x02")
    board.expect(">>> ")
    for question, answer in (
        (">>> ", "import webrepl_setup"),
        ("> ", "E"),
        ("chars\\): ", "abc"),
        ("length", ""),
        ("chars\\): ", "abcd"),
        ("password: ", "abcd"),
        ("y/n", "y"),
    ):
        if question != ">>> ":
            board.expect(question)
        if answer:
            board.write(answer.encode() + b"\r")
    board.expect("Started webrepl in normal mode")

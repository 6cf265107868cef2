# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Two boards that speak TLS with each other: with a shared key, and over datagrams."""

import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from muster_harness import Air, EmulatedBoard, RemoteError
from tests.certificates import Authority

_KEY = b"sixteen bytes 16"
_DATES = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - UTC is what X.509 means
_JOIN = """
import network, socket, time, tls
wlan = network.WLAN()
wlan.active(True)
wlan.connect("home", "a password of it")
while not wlan.isconnected():
    time.sleep_ms(10)
def shared(context, key):
    context.set_ciphers(["TLS-PSK-WITH-AES-128-CBC-SHA256"])
    context.psk_identity = b"press"
    context.psk_key = key
"""
_SERVE = """
def serve_stream(key):
    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    shared(context, key)
    s = socket.socket()
    s.bind(("0.0.0.0", 8443))
    s.listen(1)
    print("serving")
    c, _ = s.accept()
    c.settimeout(5)
    try:
        t = context.wrap_socket(c, server_side=True)
        print("heard", t.read(3))
        t.write(b"answer")
    except OSError as e:
        print("refused", e.args[0])
def serve_datagrams():
    context = tls.SSLContext(tls.PROTOCOL_DTLS_SERVER)
    context.load_cert_chain(*(open(name, "rb").read() for name in ("/cert.der", "/key.der")))
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 8443))
    s.settimeout(5)
    print("serving")
    for _ in range(2):  # the first hello only gets its cookie
        _, peer = s.recvfrom(1, socket.MSG_PEEK)
        s.connect(peer)
        try:
            t = context.wrap_socket(s, server_side=True, client_id=repr(peer).encode())
        except OSError:
            continue
        print("heard", t.read(3))
        t.write(b"answer")
        return
"""
_ASK = """
def ask(address, kind, context):
    context.verify_mode = tls.CERT_NONE
    s = socket.socket(socket.AF_INET, kind)
    s.settimeout(5)
    s.connect((address, 8443))
    t = context.wrap_socket(s)
    t.write(b"ask")
    return t.read(6)
def ask_stream(address, key):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    shared(context, key)
    return ask(address, socket.SOCK_STREAM, context)
def ask_datagrams(address):
    return ask(address, socket.SOCK_DGRAM, tls.SSLContext(tls.PROTOCOL_DTLS_CLIENT))
"""
Boards = tuple[EmulatedBoard, EmulatedBoard]


@pytest.fixture
def boards(air: Air, tmp_path: Path) -> Iterator[Boards]:
    air.add_access_point("home", password="a password of it")
    with (
        EmulatedBoard(tmp_path / "server", air=air) as server,
        EmulatedBoard(tmp_path / "client", air=air) as client,
    ):
        for board, code in (server, _SERVE), (client, _ASK):
            board.power_on()
            board.expect(rb">>> ")
            board.exec(_JOIN + code)
        yield server, client


def _begin(server: EmulatedBoard, call: str) -> str:
    """Let a board serve, and return its address."""
    address = server.eval("wlan.ifconfig()[0]")
    server.forget_output()
    server.write(f"{call}\r\n".encode())
    server.expect("serving")
    return str(address)


def test_a_key_that_both_have_is_enough(boards: Boards) -> None:
    server, client = boards
    address = _begin(server, f"serve_stream({_KEY!r})")
    assert client.eval(f"ask_stream({address!r}, {_KEY!r})") == b"answer"
    server.expect("heard b'ask'")


def test_another_key_is_refused_by_both(boards: Boards) -> None:
    server, client = boards
    address = _begin(server, f"serve_stream({_KEY!r})")
    with pytest.raises(RemoteError):
        client.eval(f"ask_stream({address!r}, {_KEY[::-1]!r})")
    server.expect(rb"refused -\d+")


def test_datagrams_are_encrypted_from_board_to_board(boards: Boards, tmp_path: Path) -> None:
    server, client = boards
    chain, key = Authority().issue(tmp_path, "press.local", *_DATES)
    private = load_pem_private_key(key.read_bytes(), None)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    server.write_file("/key.der", der)
    server.write_file("/cert.der", ssl.PEM_cert_to_DER_cert(chain.read_text()))
    address = _begin(server, "serve_datagrams()")
    assert client.eval(f"ask_datagrams({address!r})") == b"answer"
    server.expect("heard b'ask'")

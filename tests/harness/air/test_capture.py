# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Captures of the air as Wireshark would see them, read with dpkt, which nobody here wrote."""

import socket
import threading
from pathlib import Path
from typing import Any

import dpkt
import pytest

from muster_harness import Air, EmulatedBoard

_ASK = """
import network, socket, time
w = network.WLAN(network.WLAN.IF_STA)
w.active(True)
w.scan()
w.connect("home", "a password of it")
while not w.isconnected():
    time.sleep_ms(10)
s = socket.socket()
s.connect(socket.getaddrinfo("server.example", 8080)[0][-1])
s.send(b"password=open sesame")
print(s.recv(100))
s.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b"secret", ("{address}", 9999))
time.sleep_ms(50)
"""


def captured(path: Path) -> list[tuple[Any, int]]:
    """Each packet, parsed, and its length on the air."""
    parsers = (dpkt.ethernet.Ethernet, dpkt.ieee80211.IEEE80211)
    found = []
    with path.open("rb") as file:
        for block in raw_blocks(file.read()):
            interface, _, _, size, length = (
                int.from_bytes(block[n : n + 4], "little") for n in range(0, 20, 4)
            )
            found.append((parsers[interface](block[20 : 20 + size]), length))
    return found


def raw_blocks(data: bytes) -> list[bytes]:
    """The enhanced packet blocks, whose interface dpkt's reader does not tell."""
    found, at = [], 0
    while at < len(data):
        kind, size = (int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4))
        if kind == 6:
            found.append(data[at + 8 : at + size - 4])
        at += size
    return found


def play(air: Air, board: EmulatedBoard) -> None:
    home = air.add_access_point("home", password="a password of it", channel=6)
    home.names["server.example"] = home.gateway
    with socket.create_server((home.gateway, 8080)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"no")

        serving = threading.Thread(target=serve)
        serving.start()
        assert "b'no'" in board.exec(_ASK.replace("{address}", home.gateway))
        serving.join(5)


@pytest.mark.parametrize("has_contents", [False, True])
def test_everything_that_is_known_is_in_the_capture(
    tmp_path: Path, air: Air, board: EmulatedBoard, has_contents: bool
) -> None:
    path = tmp_path / "air.pcapng"
    air.capture_to(path, has_contents=has_contents)
    play(air, board)
    air.close()
    with path.open("rb") as file:
        assert len(list(dpkt.pcapng.Reader(file))) == len(captured(path)) > 15
    packets = captured(path)
    wifi = [p for p, _ in packets if isinstance(p, dpkt.ieee80211.IEEE80211)]
    assert {p.subtype for p in wifi} == {dpkt.ieee80211.M_BEACON, dpkt.ieee80211.M_ASSOC_REQ}
    assert wifi[0].ssid.data == b"home" and wifi[0].ds.ch == 6
    ip = [(p.data, n) for p, n in packets if isinstance(p, dpkt.ethernet.Ethernet)]
    udp = [p.data for p, _ in ip if isinstance(p.data, dpkt.udp.UDP)]
    dhcp = [dpkt.dhcp.DHCP(u.data) for u in udp if u.dport in (67, 68)]
    assert [dict(d.opts)[53] for d in dhcp] == [b"\1", b"\2", b"\3", b"\5"]
    answer = dpkt.dns.DNS(next(u.data for u in udp if u.sport == 53))
    assert answer.qd[0].name == "server.example" and len(answer.an) == 1
    assert [u.dport for u in udp if u.dport == 9999]
    tcp = [p.data for p, _ in ip if isinstance(p.data, dpkt.tcp.TCP)]
    assert [t.flags for t in tcp[:3]] == [2, 18, 16] and tcp[0].dport == 8080
    assert {1, 2} & {t.flags & 3 for t in tcp[3:]}
    said = path.read_bytes()
    assert (b"open sesame" in said) == has_contents
    assert b"a password of it" not in said and b"secret" not in said
    assert max(n for _, n in ip) >= 54 + len("password=open sesame")


def test_a_capture_without_packets_is_no_file(tmp_path: Path) -> None:
    with Air() as air:
        air.capture_to(tmp_path / "air.pcapng")
    assert not (tmp_path / "air.pcapng").exists()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Packets as they would look on the air, for who wants to see them: made from what is known here.

Ethernet, IPv4, TCP, UDP, DHCP (RFC 2131), DNS (RFC 1035), and management frames of IEEE 802.11.
"""

import socket
import struct
import zlib

_SYN, _ACK, _FIN, _RST, _PSH = 0x02, 0x10, 0x01, 0x04, 0x08
_TCP, _UDP = 6, 17
_ALL = "255.255.255.255"
_BROADCAST = b"\xff" * 6
_COOKIE = b"\x63\x82\x53\x63"
_NOBODY = "0.0.0.0"  # noqa: S104 (the sender of a first DHCP message)
BEACON, ASSOCIATION, DEAUTHENTICATION = 0x80, 0x00, 0xC0
_CIPHERS = (
    b"\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x04\x01\x00\x00\x0f\xac\x02\x00\x00"  # RSN
)

Endpoint = tuple[str, int]


def mac_of(address: str) -> bytes:
    """Return the hardware address that stands for an IPv4 address in a capture."""
    return b"\x02\x4d" + socket.inet_aton(address)


def checksum(data: bytes) -> int:
    """Return the internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _ip(source: str, target: str, protocol: int, content: bytes) -> bytes:
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), 0, 0x4000, 64, protocol, 0) + ends
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    to = _BROADCAST if target == _ALL else mac_of(target)
    return to + mac_of(source) + b"\x08\x00" + head + content


def udp(source: Endpoint, target: Endpoint, content: bytes) -> bytes:
    """Return a datagram in its Ethernet frame; its checksum is left out, as IPv4 allows."""
    head = struct.pack("!HHHH", source[1], target[1], 8 + len(content), 0)
    return _ip(source[0], target[0], _UDP, head + content)


def tcp(
    source: Endpoint, target: Endpoint, sequence: int, answers: int, flags: str, content: bytes
) -> bytes:
    """Return a segment in its Ethernet frame; `flags` are letters of "SAFRP"."""
    bits = {"S": _SYN, "A": _ACK, "F": _FIN, "R": _RST, "P": _PSH}
    value = sum(bits[flag] for flag in flags)
    parts = (sequence & 0xFFFFFFFF, answers & 0xFFFFFFFF, 0x50, value, 5760, 0, 0)
    head = struct.pack("!HHIIBBHHH", source[1], target[1], *parts)
    ends = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
    pseudo = ends + struct.pack("!BBH", 0, _TCP, len(head) + len(content))
    total = checksum(pseudo + head + content)
    head = head[:16] + struct.pack("!H", total) + head[18:]
    return _ip(source[0], target[0], _TCP, head + content)


def head_size(frame: bytes) -> int:
    """Return how many bytes of an Ethernet frame come before what programs say."""
    if frame[23] == _TCP:
        return 14 + 20 + (frame[46] >> 4) * 4
    return 14 + 20 + 8


def dhcp_exchange(station: str, server: str, netmask: str, name: str) -> list[bytes]:
    """Return the four messages after which a station has its address."""
    chaddr = mac_of(station)
    transaction = zlib.crc32(f"{station} {name}".encode())
    options = b"\x36\x04" + socket.inet_aton(server) + b"\x01\x04" + socket.inet_aton(netmask)
    options += b"\x03\x04" + socket.inet_aton(server) + b"\x06\x04" + socket.inet_aton(server)
    host = b"\x0c" + bytes([len(name.encode()[:63])]) + name.encode()[:63]
    asked = b"\x32\x04" + socket.inet_aton(station)
    steps = ((1, host), (2, options), (3, asked + host), (5, options))
    frames = []
    for kind, more in steps:
        is_reply = kind in (2, 5)
        yours = socket.inet_aton(station if is_reply else _NOBODY)
        head = struct.pack("!BBBBIHH4x", 2 if is_reply else 1, 1, 6, 0, transaction, 0, 0)
        head += yours + b"\0" * 8 + chaddr.ljust(16, b"\0") + b"\0" * 192 + _COOKIE
        content = head + b"\x35\x01" + bytes([kind]) + more + b"\xff"
        ends = ((server, 67), (station, 68)) if is_reply else ((_NOBODY, 68), (_ALL, 67))
        frame = udp(*ends, content)
        frames.append(frame if is_reply else frame[:6] + chaddr + frame[12:])
    return frames


def dns_exchange(station: str, server: str, name: str, address: str | None) -> list[bytes]:
    """Return a question for a name, and its answer; None: there is no such name."""
    labels = [label.encode()[:63] for label in name.rstrip(".").split(".")]
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0\0\x01\0\x01"
    number = zlib.crc32(name.encode()) & 0xFFFF
    port = 49152 + number % 16384
    asked = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + question
    found = b"" if address is None else b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04"
    found += b"" if address is None else socket.inet_aton(address)
    flags = 0x8183 if address is None else 0x8180
    answer = struct.pack("!6H", number, flags, 1, int(address is not None), 0, 0)
    return [
        udp((station, port), (server, 53), asked),
        udp((server, 53), (station, port), answer + question + found),
    ]


def management(kind: int, source: bytes, target: bytes, bssid: bytes, content: bytes) -> bytes:
    """Return a management frame of 802.11."""
    return struct.pack("<BBH", kind, 0, 0) + target + source + bssid + b"\0\0" + content


def beacon(bssid: bytes, ssid: bytes, channel: int, is_open: bool) -> bytes:
    """Return what an access point says of itself ten times a second."""
    fixed = b"\0" * 8 + struct.pack("<HH", 100, 0x0001 if is_open else 0x0011)
    elements = b"\0" + bytes([len(ssid)]) + ssid + b"\x01\x04\x82\x84\x8b\x96"
    elements += b"\x03\x01" + bytes([channel])
    if not is_open:
        elements += b"\x30" + bytes([len(_CIPHERS)]) + _CIPHERS
    return management(BEACON, bssid, _BROADCAST, bssid, fixed + elements)


def association(station: bytes, bssid: bytes, ssid: bytes) -> bytes:
    """Return a station's wish to join."""
    content = struct.pack("<HH", 0x0001, 10) + b"\0" + bytes([len(ssid)]) + ssid
    return management(ASSOCIATION, station, bssid, bssid, content + b"\x01\x04\x82\x84\x8b\x96")


def deauthentication(station: bytes, bssid: bytes, reason: int) -> bytes:
    """Return the word of an access point with which a station is out."""
    return management(DEAUTHENTICATION, bssid, station, bssid, struct.pack("<H", reason))

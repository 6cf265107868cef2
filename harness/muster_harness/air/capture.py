# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A capture of the air in a file that Wireshark opens (pcapng): a packet for each known event.

Of connections and datagrams it holds the heads only, unless somebody wants the contents too:
programs say passwords in clear.
"""

import itertools
import struct
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from muster_harness.air import packets
from muster_harness.air.packets import Endpoint

_ETHERNET, _WIFI = 1, 105  # link types
_MOST_BYTES = 64 << 20
_OPEN = 0
_REASONS = range(1, 70)  # those that an access point says; above are the driver's own


def _block(kind: int, content: bytes) -> bytes:
    content += b"\0" * (-len(content) % 4)
    size = struct.pack("<I", len(content) + 12)
    return struct.pack("<I", kind) + size + content + size


def _interface(link: int, name: bytes) -> bytes:
    option = struct.pack("<HH", 2, len(name)) + name + b"\0" * (-len(name) % 4)
    return _block(1, struct.pack("<HHI", link, 0, 0) + option + b"\0\0\0\0")


class Flow:
    """One TCP connection in a capture. `way` is "tx" for what its maker says."""

    def __init__(self, capture: "Capture", source: Endpoint, target: Endpoint):
        self._capture = capture
        self._ends = {"tx": (source, target), "rx": (target, source)}
        self._next = {"tx": 1000, "rx": 5000}
        self._ended: set[str] = set()
        self._say("tx", "S")
        self._say("rx", "SA")
        self._say("tx", "A")

    def carried(self, way: str, data: bytes) -> None:
        """Some of what one side says has arrived."""
        self._say(way, "PA", data)
        self._say(_back(way), "A")

    def ended(self, way: str) -> None:
        """One side has said goodbye."""
        if way not in self._ended:
            self._ended.add(way)
            self._say(way, "FA")
            self._say(_back(way), "A")

    def cut(self) -> None:
        """The connection has been reset."""
        if len(self._ended) < 2:
            self._ended |= {"tx", "rx"}
            self._say("rx", "RA")

    def _say(self, way: str, flags: str, data: bytes = b"") -> None:
        answers = self._next[_back(way)] if "A" in flags else 0
        frame = packets.tcp(*self._ends[way], self._next[way], answers, flags, data)
        self._next[way] += len(data) + ("S" in flags) + ("F" in flags)
        self._capture.ethernet(frame)


def _back(way: str) -> str:
    return "rx" if way == "tx" else "tx"


class Capture:
    """Writes a file as soon as there is something in it; usable from any thread."""

    def __init__(self, path: Path, air: Any, *, has_contents: bool = False):
        """`air` is an Air, which knows this class in its turn."""
        self.path = path
        self._air = air
        self._has_contents = has_contents
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._room = _MOST_BYTES
        self._is_open = True
        self._addresses: dict[str, str] = {}  # of boards and visitors, as far as known
        self._ports = itertools.count(49152)
        air.listeners.append(self._event)

    def close(self) -> None:
        """End the file. A second call does nothing."""
        with self._lock:
            self._is_open = False
            if self._file is not None:
                self._file.close()
                self._file = None
        if self._event in self._air.listeners:
            self._air.listeners.remove(self._event)

    # -- packets

    def flow(self, source: Endpoint, target: Endpoint) -> Flow:
        """A connection has come about."""
        return Flow(self, (source[0], source[1] or next(self._ports)), target)

    def ethernet(self, frame: bytes, *, is_harmless: bool = False) -> None:
        """Write a frame; of one that is not harmless, what programs say is left out."""
        whole = is_harmless or self._has_contents
        self._packet(0, frame if whole else frame[: packets.head_size(frame)], len(frame))

    def wifi(self, frame: bytes) -> None:
        self._packet(1, frame, len(frame))

    def _packet(self, interface: int, data: bytes, size: int) -> None:
        now_us = time.time_ns() // 1000
        head = struct.pack("<5I", interface, now_us >> 32, now_us & 0xFFFFFFFF, len(data), size)
        block = _block(6, head + data)
        with self._lock:
            if not self._is_open or self._room < len(block):
                return
            if self._file is None:
                self._file = self.path.open("wb")
                begin = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
                self._file.write(
                    begin + _interface(_ETHERNET, b"networks") + _interface(_WIFI, b"radio")
                )
            self._room -= len(block)
            self._file.write(block)
            self._file.flush()

    # -- what the trace tells

    def _event(self, event: Any) -> None:
        told = getattr(self, "_" + event.what.replace(" ", "_"), None)
        if told is not None:
            told(event.board, **event.details)

    def _scan(self, board: str, **_: object) -> None:
        for point in self._air.heard_by(board):
            ssid = b"" if point.hidden else point.ssid
            is_open = point.security == _OPEN
            self.wifi(packets.beacon(point.bssid, ssid, point.channel, is_open))

    def _join(self, board: str, ssid: bytes, **_: object) -> None:
        for point in self._air.points():
            if point.ssid == ssid and any(s.name == board for s in list(point.stations)):
                station = next(s.mac for s in list(point.stations) if s.name == board)
                is_open = point.security == _OPEN
                self.wifi(packets.beacon(point.bssid, ssid, point.channel, is_open))
                self.wifi(packets.association(station, point.bssid, ssid))
                return

    def _refused(self, board: str, ssid: bytes, reason: int, **_: object) -> None:
        point = next((p for p in self._air.points() if p.ssid == ssid), None)
        if point is not None and reason in _REASONS:
            station = b"\x02\x4d" + board.encode()[:4].ljust(4, b"\0")
            self.wifi(packets.deauthentication(station, point.bssid, reason))

    def _address(self, board: str, ssid: bytes, address: str) -> None:
        self._addresses[board] = address
        gateway = address[: address.rfind(".") + 1] + "1"
        for frame in packets.dhcp_exchange(address, gateway, "255.255.255.0", board):
            self.ethernet(frame, is_harmless=True)

    def _dns(self, board: str, name: str, address: str | None) -> None:
        station = self._addresses.get(board)
        if station is not None:
            gateway = station[: station.rfind(".") + 1] + "1"
            for frame in packets.dns_exchange(station, gateway, name, address):
                self.ethernet(frame, is_harmless=True)

    def _datagram(self, board: str, way: str, address: str, port: int, **more: object) -> None:
        station = self._addresses.get(board)
        size = more.get("bytes")
        if station is None or not isinstance(size, int):
            return
        own_port = more.get("own_port")
        own = (station, own_port if isinstance(own_port, int) else 0)
        ends = (own, (address, port)) if way == "tx" else ((address, port), own)
        self._heads_of(packets.udp(*ends, bytes(size)))

    def _heads_of(self, frame: bytes) -> None:
        self._packet(0, frame[: packets.head_size(frame)], len(frame))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""ESP-NOW of one board: its peers, and frames between boards without any network.

After ports/esp32/modespnow.c at 1c3c201149 and ESP-IDF's esp_now.h.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from muster_harness.air.ether import BROADCAST
from muster_harness.control import Refusal
from muster_harness.esp32.board import Board

_BASE = 0x3064  # ESP_ERR_ESPNOW_BASE
_ERRORS = ("NOT_INIT", "ARG", "NO_MEM", "FULL", "NOT_FOUND", "INTERNAL", "EXIST", "IF", "CHAN")
_MOST_PEERS, _MOST_ENCRYPTED, _LONGEST = 20, 6, 1470
_HEAD_BYTES = 14  # of a packet in the receive buffer: espnow_pkt_t
_BUFFER_BYTES = 2 * (_HEAD_BYTES + _LONGEST)
_DEFAULT_PMK = b"pmk1234567890123"


def _error(name: str) -> Refusal:
    return Refusal("OSError", -(_BASE + 1 + _ERRORS.index(name)), f"ESP_ERR_ESPNOW_{name}")


@dataclass
class _Peer:
    lmk: bytes = bytes(16)
    channel: int = 0  # 0: whatever the radio is on
    interface: int = 0
    is_encrypted: bool = False

    def take(self, given: dict[str, Any]) -> None:
        if given.get("lmk") is not None:
            key = bytes.fromhex(given["lmk"])
            self.is_encrypted = bool(key)
            self.lmk = key or self.lmk
        if given.get("channel") is not None:
            self.channel = given["channel"]
        if given.get("ifidx") is not None:
            self.interface = given["ifidx"]
        if given.get("encrypt") is not None:
            self.is_encrypted = given["encrypt"]


@dataclass(frozen=True)
class ESPNowFrame:
    """A frame; the keys under which it went are b"" for one in the clear."""

    source: bytes
    content: bytes
    keys: bytes = field(repr=False)


class ESPNow:
    """Answers `["espnow", verb, ...]`. `hear` is called from other boards' threads."""

    def __init__(self, board: Board):
        self._board = board
        self.name = board.name
        self._is_active = self._is_listening = False
        self._buffer_bytes = _BUFFER_BYTES
        self._forget()
        board.air.ether.enter(self)

    def _forget(self) -> None:
        self._peers: dict[bytes, _Peer] = {}
        self._pmk = _DEFAULT_PMK
        self._received: deque[tuple[ESPNowFrame, int, int]] = deque()
        self._filled = 0
        self._stats = [0, 0, 0, 0, 0]

    def run_ends(self) -> None:
        self._is_active = self._is_listening = False
        self._buffer_bytes = _BUFFER_BYTES
        self._forget()

    def run_begins(self) -> None:
        """Do nothing: a program begins without it."""

    def chip_stops(self) -> None:
        """Do nothing: what could last has ended with the program."""

    def close(self) -> None:
        self.run_ends()
        self._board.air.ether.leave(self)

    # -- the radio

    def has_address(self, address: bytes, channel: int) -> bool:
        return any(
            mac == address and on == channel for mac, on in self._board.wlan.interfaces().values()
        )

    def works_on(self, channel: int) -> bool:
        return any(on == channel for _, on in self._board.wlan.interfaces().values())

    def hear(self, frame: ESPNowFrame) -> None:
        self._board.loop.post(lambda: self._heard(frame))

    def _heard(self, frame: ESPNowFrame) -> None:
        if not self._is_active or frame.keys and frame.keys != self._keys(frame.source):
            return
        size = _HEAD_BYTES + len(frame.content)
        if size >= self._buffer_bytes - self._filled:
            self._stats[4] += 1
            return
        now_ms = self._board.clock.now_us() // 1000
        self._received.append((frame, self._board.air.ether.rssi, now_ms))
        self._filled += size
        self._stats[3] += 1
        self._board.event("espnow", self._is_listening)

    def _keys(self, peer: bytes) -> bytes:
        known = self._peers.get(peer)
        return self._pmk + known.lmk if known is not None and known.is_encrypted else b""

    # -- the class

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Do what a method of the board's ESPNow object asks. Raises Refusal as the port does."""
        if verb not in ("active", "buffer", "listen", "stats", "any") and not self._is_active:
            raise _error("NOT_INIT")
        return getattr(self, f"_ask_{verb}")(*arguments)

    def _ask_active(self, is_active: bool | None = None) -> bool:
        if is_active is not None and is_active != self._is_active:
            stats = self._stats
            self._forget()
            self._stats = stats
            self._is_active = is_active
            self._is_listening = self._is_listening and is_active
        return self._is_active

    def _ask_buffer(self, size: int) -> None:
        self._buffer_bytes = size  # a running receiver of the port keeps the old one

    def _ask_rate(self) -> None:
        if not self._board.wlan.interfaces():
            raise Refusal("OSError", 2)

    def _ask_listen(self, is_listening: bool) -> None:
        self._is_listening = is_listening

    def _ask_stats(self) -> list[int]:
        return self._stats

    def _ask_any(self) -> bool:
        return bool(self._received)

    def _ask_take(self, room: int) -> tuple[str, str, int, int] | None:
        if not self._received:
            return None
        frame, rssi, now_ms = self._received.popleft()
        self._filled -= _HEAD_BYTES + len(frame.content)
        if len(frame.content) > room:
            self._received.clear()
            self._filled = 0
            raise Refusal("ValueError", "ESPNow.recv(): buffer error")
        return frame.source.hex(), frame.content.hex(), rssi, now_ms

    def _ask_send(self, peer: str | None, content: str) -> bool:
        data = bytes.fromhex(content)
        if not 0 < len(data) <= _LONGEST:
            raise _error("ARG")
        targets = [bytes.fromhex(peer)] if peer is not None else self._unicast_peers()
        if peer is None and not targets or peer is not None and targets[0] not in self._peers:
            raise _error("NOT_FOUND")
        outcomes = [self._send(target, data) for target in targets]  # to all, whoever misses it
        return all(outcomes)

    def _unicast_peers(self) -> list[bytes]:
        return [mac for mac in self._peers if not mac[0] & 1]

    def _send(self, target: bytes, data: bytes) -> bool:
        peer = self._peers[target]
        interface = self._board.wlan.interfaces().get(peer.interface)
        if interface is None:
            raise _error("IF")
        mac, channel = interface
        if peer.channel not in (0, channel):
            raise _error("CHAN")
        frame = ESPNowFrame(mac, data, self._keys(target))
        is_heard = self._board.air.ether.send(self, target, channel, frame)
        self._board.air.trace_event(
            self.name, "espnow", to=target.hex(":"), bytes=len(data), heard=is_heard
        )
        self._stats[0] += 1
        self._stats[1] += 1
        self._stats[2] += not is_heard
        return is_heard

    # -- peers

    def _ask_set_pmk(self, key: str) -> None:
        self._pmk = bytes.fromhex(key)

    def _ask_add_peer(self, mac: str, given: dict[str, Any]) -> None:
        address = bytes.fromhex(mac)
        if address in self._peers:
            raise _error("EXIST")
        if len(self._peers) >= _MOST_PEERS:
            raise _error("FULL")
        peer = _Peer()
        peer.take(given)
        self._require_possible(address, peer)
        self._peers[address] = peer

    def _ask_mod_peer(self, mac: str, given: dict[str, Any]) -> None:
        address = bytes.fromhex(mac)
        known = self._known(mac)
        peer = _Peer(known.lmk, known.channel, known.interface, known.is_encrypted)
        peer.take(given)
        self._require_possible(address, peer)
        self._peers[address] = peer

    def _require_possible(self, address: bytes, peer: _Peer) -> None:
        if not 0 <= peer.channel <= 14 or address == BROADCAST and peer.is_encrypted:
            raise _error("ARG")
        if peer.interface not in (0, 1):
            raise _error("IF")
        others = sum(p.is_encrypted for mac, p in self._peers.items() if mac != address)
        if peer.is_encrypted and others >= _MOST_ENCRYPTED:
            raise _error("FULL")

    def _ask_del_peer(self, mac: str) -> None:
        self._known(mac)
        del self._peers[bytes.fromhex(mac)]

    def _ask_get_peer(self, mac: str) -> tuple[str, str, int, int, bool]:
        peer = self._known(mac)
        return mac, peer.lmk.hex(), peer.channel, peer.interface, peer.is_encrypted

    def _ask_get_peers(self) -> list[tuple[str, str, int, int, bool]]:
        return [self._ask_get_peer(mac.hex()) for mac in self._unicast_peers()]

    def _ask_peer_count(self) -> tuple[int, int]:
        return len(self._peers), sum(peer.is_encrypted for peer in self._peers.values())

    def _known(self, mac: str) -> _Peer:
        peer = self._peers.get(bytes.fromhex(mac))
        if peer is None:
            raise _error("NOT_FOUND")
        return peer

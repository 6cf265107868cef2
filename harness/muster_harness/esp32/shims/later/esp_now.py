# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# _espnow: frames between boards without a network. What lasts is the supervisor's.

import io
from binascii import hexlify, unhexlify

import clock
import host_link
from arguments import integer
from micropython import const

MAX_DATA_LEN = 1470
ADDR_LEN = 6
KEY_LEN = 16
MAX_TOTAL_PEER_NUM = 20
MAX_ENCRYPT_PEER_NUM = 6
RATE_LORA_250K = 41
RATE_LORA_500K = 42
RATE_1M = 0
RATE_2M = 1
RATE_5M = 2
RATE_6M = 11
RATE_11M = 3
RATE_12M = 10
RATE_24M = 9
RATE_54M = 12

__all__ = (
    "ADDR_LEN",
    "ESPNowBase",
    "KEY_LEN",
    "MAX_DATA_LEN",
    "MAX_ENCRYPT_PEER_NUM",
    "MAX_TOTAL_PEER_NUM",
    "RATE_11M",
    "RATE_12M",
    "RATE_1M",
    "RATE_24M",
    "RATE_2M",
    "RATE_54M",
    "RATE_5M",
    "RATE_6M",
    "RATE_LORA_250K",
    "RATE_LORA_500K",
)

_POLL = const(3)


# There is one receiver, whatever objects and classes of a program stand before it.
class _Shared:
    timeout = 300000
    room = 2968
    handler = argument = None
    has_heard = False


_peers_table = {}  # peer: [rssi, time in ms]


def _sized(value, length):
    value = memoryview(value)
    if len(value) != length:
        raise ValueError("invalid buffer length")
    return hexlify(value)


def _ask(verb, *arguments):
    return host_link.request("espnow", verb, *arguments)


def _given(lmk=None, channel=None, ifidx=None, encrypt=None):
    return {
        "lmk": None if lmk is None else _sized(lmk, KEY_LEN) if lmk else "",
        "channel": None if channel is None else integer(channel),
        "ifidx": None if ifidx is None else integer(ifidx),
        "encrypt": None if encrypt is None else bool(encrypt),
    }


def _told(mac, lmk, channel, ifidx, encrypt):
    return unhexlify(mac), unhexlify(lmk), channel, ifidx, encrypt


class ESPNowBase(io.IOBase):
    peers_table = _peers_table

    def active(self, *flag):
        return _ask("active", *map(bool, flag[:1]))

    def config(self, *param, rxbuf=-1, timeout_ms=None, rate=-1):
        if rxbuf >= 0:
            _Shared.room = integer(rxbuf)
            _ask("buffer", _Shared.room)
        if timeout_ms is not None:
            _Shared.timeout = integer(timeout_ms)
        if integer(rate) >= 0:
            _ask("rate")
        if not param:
            return None
        if param[0] == "rxbuf":
            return _Shared.room
        if param[0] == "timeout_ms":
            return _Shared.timeout
        raise ValueError("unknown config param")

    def irq(self, callback, *argument):
        if callback is not None and not callable(callback):
            raise ValueError("invalid handler")
        _Shared.handler = callback
        _Shared.argument = argument[0] if argument else None
        _ask("listen", callback is not None)

    def stats(self):
        return tuple(_ask("stats"))

    def any(self):
        return _ask("any")

    def recvinto(self, data, timeout_ms=None):
        timeout = _Shared.timeout if timeout_ms is None else integer(timeout_ms)
        room = data[1]
        end = clock.now_ms() + timeout
        # a bytearray that took a short message has place for a long one again
        most = max(len(room), MAX_DATA_LEN) if isinstance(room, bytearray) else len(room)
        while (found := _ask("take", most)) is None:
            left = end - clock.now_ms()
            if timeout >= 0 and left <= 0:
                return 0
            _wait(left if timeout >= 0 else 1000)
        peer, content = unhexlify(found[0]), unhexlify(found[1])
        if isinstance(room, bytearray):
            room[:] = content
        else:
            room[: len(content)] = content
        for known in _peers_table:
            if known == peer:
                peer = known
        _peers_table.setdefault(peer, [0, 0])[:] = found[2:]
        data[0] = peer
        if len(data) >= 4:
            data[2:4] = found[2:]
        return len(content)

    def send(self, peer, msg=None, sync=None):
        if msg is None and sync is None:
            peer, msg = None, peer
        peer = None if peer is None else _sized(peer, ADDR_LEN)
        content = msg if isinstance(msg, str) else memoryview(msg)
        is_heard = _ask("send", peer, hexlify(content))
        return is_heard or not (sync is None or sync)

    def set_pmk(self, key):
        _ask("set_pmk", _sized(key, KEY_LEN))

    def add_peer(self, mac, *given, **named):
        _ask("add_peer", _sized(mac, ADDR_LEN), _given(*given, **named))

    def mod_peer(self, mac, *given, **named):
        _ask("mod_peer", _sized(mac, ADDR_LEN), _given(*given, **named))

    def del_peer(self, mac):
        _ask("del_peer", _sized(mac, ADDR_LEN))

    def get_peer(self, mac):
        return _told(*_ask("get_peer", _sized(mac, ADDR_LEN)))

    def get_peers(self):
        return tuple([_told(*peer) for peer in _ask("get_peers")])

    def peer_count(self):
        return tuple(_ask("peer_count"))

    def ioctl(self, request, arg):
        if request != _POLL:
            return -22
        return arg & (5 if _ask("any") else 4)


# Sleeps until a message has come, or so many milliseconds.
def _wait(ms):
    _Shared.has_heard = False
    end = clock.now_ms() + ms
    while not _Shared.has_heard and clock.now_ms() < end:
        host_link.sleep(min(10, end - clock.now_ms()))


def _on_event(is_wanted):
    _Shared.has_heard = True
    if is_wanted and _Shared.handler:
        _Shared.handler(_Shared.argument)


host_link.handlers["espnow"] = _on_event

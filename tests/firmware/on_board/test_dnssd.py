# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# DNS-SD answers as python-zeroconf writes them, spoilt ones, and a browse over real UDP.

import asyncio
import gc
import random
import socket
import time
from binascii import unhexlify

from runner import golden, raises

from muster import dnssd

_IDENT = b"MS"
_HEADER = _IDENT + b"\x84\0\0\0\0\1\0\0\0\0"  # one answer
_NAME = b"\x07_muster\x04_tcp\x05local\0"
_SILENT_MS = 100


def _cases():
    cases = golden("firmware/on_board/dnssd_answers.json")["cases"]
    return {case["name"]: case for case in cases}


def _packet(name):
    return unhexlify(_cases()[name]["packet_hex"])


# A record with the owner's name, kind and data.
def _record(owner, kind, data):
    return owner + bytes((0, kind, 0, 1, 0, 0, 0, 9, 0, len(data))) + data


def _answer(*records):
    return _HEADER[:7] + bytes((len(records),)) + _HEADER[8:] + b"".join(records)


# Whatever came in, it is an answer without servers or a ValueError.
def _harmless(packet):
    try:
        return dnssd.parse(packet, _IDENT)
    except ValueError:
        return []


def test_query_asks_for_the_service_by_a_pointer():
    assert dnssd.query(_IDENT) == _IDENT + b"\0\0\0\1\0\0\0\0\0\0" + _NAME + b"\0\x0c\0\1"


def test_answers_of_zeroconf_are_understood():
    for case in _cases().values():
        found = dnssd.parse(unhexlify(case["packet_hex"]), _IDENT)
        shown = [
            [name.split(b".")[0].decode(), address, port, {"v": pairs[b"v"].decode()}]
            for name, address, port, pairs in found
        ]
        assert shown == case["found"], case["name"]


def test_addresses_that_are_not_local_are_left_out():
    found = dnssd.parse(_packet("several-addresses"), _IDENT, lambda a: a.startswith("192."))
    assert [address for _, address, _, _ in found] == ["192.168.4.9"]


def test_an_answer_to_another_query_is_refused():
    raises(ValueError, dnssd.parse, _packet("additional"), b"XX")


def test_a_query_an_error_or_a_truncated_answer_is_refused():
    for at, value in ((2, 0x00), (2, 0x86), (2, 0x8C), (3, 0x03)):
        packet = bytearray(_packet("additional"))
        packet[at] = value
        raises(ValueError, dnssd.parse, packet, _IDENT)


def test_an_answer_cut_off_anywhere_holds_no_server():
    packet = _packet("two-servers")
    for size in range(len(packet)):
        raises(ValueError, dnssd.parse, packet[:size], _IDENT)


def test_pointer_loops_are_refused():
    for owner in (b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\xff\xff"):
        raises(ValueError, dnssd.parse, _answer(_record(owner, 12, _NAME)), _IDENT)


def test_a_long_chain_of_pointers_is_refused():
    chain = _record(b"\0", 99, b"\0" + b"".join(b"\xc0" + bytes((c,)) for c in range(23, 180, 2)))
    raises(ValueError, dnssd.parse, _answer(chain, _record(b"\xc0\xaa", 12, _NAME)), _IDENT)


def test_names_beyond_63_and_255_bytes_are_refused():
    for owner in (b"\x40" + b"a" * 64 + b"\0", (b"\x3f" + b"a" * 63) * 4 + b"\0"):
        raises(ValueError, dnssd.parse, _answer(_record(owner, 12, _NAME)), _IDENT)


def test_a_text_record_that_overruns_is_refused():
    raises(ValueError, dnssd.parse, _answer(_record(_NAME, 16, b"\x09v=1")), _IDENT)


def test_counts_beyond_the_packet_are_refused():
    raises(ValueError, dnssd.parse, _HEADER[:6] + b"\xff" * 6, _IDENT)


def test_rubbish_is_harmless():
    chance = random.Random(1) if hasattr(random, "Random") else random
    packet = _packet("two-servers")
    for _ in range(2000):
        spoilt = bytearray(packet)
        for _ in range(3):
            spoilt[2 + chance.getrandbits(16) % (len(spoilt) - 2)] = chance.getrandbits(8)
        assert len(_harmless(spoilt)) <= 4
    for size in range(0, 9000, 500):
        assert _harmless(bytes(chance.getrandbits(8) for _ in range(size))) == []


# A responder on loopback: what it gets goes to react(number, query), whose packets it sends back.
class _Responder:
    def __init__(self, react):
        self._react = react
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        while True:
            self.port = 20000 + random.getrandbits(14)
            try:
                self._socket.bind(socket.getaddrinfo("127.0.0.1", self.port)[0][-1])
                break
            except OSError:
                pass
        self.heard = []

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        self._socket.close()

    async def _run(self):
        while True:
            try:
                query, peer = self._socket.recvfrom(512)
            except OSError:
                await asyncio.sleep_ms(5)
                continue
            self.heard.append(query)
            for packet in self._react(len(self.heard), query):
                self._socket.sendto(packet, peer)


async def _browse(react, timeout_ms, address="192.168.4.77", netmask="255.255.255.0"):
    start = time.ticks_ms()
    async with _Responder(react) as responder:
        group = ("127.0.0.1", responder.port)
        found = await dnssd.browse(address, netmask, timeout_ms, group)
    return found, time.ticks_diff(time.ticks_ms(), start), responder.heard


async def test_browse_finds_the_servers_and_stops_soon():
    def react(number, query):
        return [query[:2] + _packet("two-servers")[2:]]

    found, took_ms, heard = await _browse(react, 3000)
    assert found == [("192.168.4.2", 8421), ("192.168.4.3", 9000)]
    assert took_ms < 2500 and len(heard) == 1
    assert heard[0] == dnssd.query(heard[0][:2])


async def test_browse_gathers_answers_of_several_servers_once_each():
    def react(number, query):
        one = query[:2] + _packet("additional")[2:]
        return [one, one, query[:2] + _packet("crowd")[2:]]

    found, _, _ = await _browse(react, 3000)
    assert found == [("192.168.4.2", 8421), ("192.168.4.1", 8421)] + [
        ("192.168.4.%d" % i, 8421) for i in (3, 4)
    ]


async def test_browse_passes_over_other_networks_rubbish_and_stale_answers():
    def react(number, query):
        wrong = bytes((query[0] ^ 1, query[1]))
        return [b"", b"\0", bytes(1400), wrong + _packet("additional")[2:], b"x" * 9000] + [
            query[:2] + _packet("several-addresses")[2:]
        ]

    found, _, _ = await _browse(react, 3000)
    assert found == [("192.168.4.9", 8421)]
    found, _, _ = await _browse(react, 300, "172.16.0.2", "255.240.0.0")
    assert found == []


async def test_browse_asks_again_after_a_second_of_silence():
    def react(number, query):
        return [query[:2] + _packet("additional")[2:]] if number == 2 else []

    found, took_ms, heard = await _browse(react, 3000)
    assert found == [("192.168.4.2", 8421)]
    assert 900 < took_ms < 2900 and len(heard) == 2 and heard[0] == heard[1]


async def test_browse_ends_in_time_when_nobody_answers():
    found, took_ms, heard = await _browse(lambda number, query: [], 300)
    assert found == [] and 290 <= took_ms < 2000 and len(heard) >= 1


async def test_looking_takes_no_heap_while_nothing_comes():
    gc.collect()
    gc.disable()
    try:
        before = gc.mem_alloc()
        await dnssd.browse("127.0.0.1", "255.0.0.0", 500, ("127.0.0.1", 9))
        taken = gc.mem_alloc() - before
    finally:
        gc.enable()
    assert taken < 20 * 1024, taken  # some 50 looks; a datagram's room for each would be 73 KB

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Finds the configuration server on the joined network: DNS-SD (RFC 6763) by a one-shot mDNS
# query (RFC 6762, sections 5.1 and 6.7), whose answers come back to the socket that asked.

import asyncio
import os
import time

from micropython import const

_SERVICE = const(b"\x07_muster\x04_tcp\x05local\0")
_GROUP = const(("224.0.0.251", 5353))
_A = const(1)
_PTR = const(12)
_TXT = const(16)
_SRV = const(33)
_LARGEST = const(1472)  # what one datagram on Wi-Fi carries
_RECORDS = const(40)  # looked at in one answer
_FOUND = const(4)
_AGAIN_MS = const(1000)  # Wi-Fi power saving loses multicast: ask twice
_POLL_MS = const(10)
_GRACE_MS = const(100)  # for other servers, once the first has answered


def query(ident):
    return ident + b"\0\0\0\1\0\0\0\0\0\0" + _SERVICE + b"\0\x0c\0\1"


def _u16(data, at):
    return data[at] << 8 | data[at + 1]


# Reads a name and returns its labels, lower-case, and where it ends. A pointer must lead
# backwards, so that there is no loop.
def _name(data, at):
    labels: list = []
    end = None
    size = 0
    lowest = at
    while True:
        length = data[at]
        if length >= 0xC0:
            if end is None:
                end = at + 2
            size += 16  # so that it cannot jump often
            at = _u16(data, at) & 0x3FFF
            if at >= lowest or size > 255:
                raise ValueError("mDNS: a name leads astray")
            lowest = at
            continue
        size += length + 1
        if length > 63 or size > 255:
            raise ValueError("mDNS: a name is too long")
        at += 1
        if not length:
            return b".".join(labels), end or at
        if at + length > len(data):
            raise ValueError("mDNS: a name is cut off")
        labels.append(bytes(data[at : at + length]).lower())
        at += length


# Returns the answers in one datagram, each (instance name, address, port, {key: value}), at most
# 4. is_local tells which addresses count. Raises ValueError if it is not a whole answer to
# query(ident).
def parse(data, ident, is_local=lambda address: True):
    try:
        return _parse(data, ident, is_local)
    except IndexError:
        raise ValueError("mDNS: the answer is cut off")


def _parse(data, ident, is_local):
    if bytes(data[:2]) != ident or data[2] & 0xFA != 0x80 or data[3] & 15:
        raise ValueError("mDNS: not an answer to this query")
    at = 12
    for _ in range(min(_u16(data, 4), _FOUND)):
        at = _name(data, at)[1] + 4
    instances = []
    hosts = {}  # instance: (port, target)
    texts = {}
    addresses = []  # (target, address)
    service = _name(_SERVICE, 0)[0]
    for _ in range(min(_u16(data, 6) + _u16(data, 8) + _u16(data, 10), _RECORDS)):
        name, at = _name(data, at)
        kind = _u16(data, at)
        start = at + 10
        at = start + _u16(data, at + 8)
        if at > len(data):
            raise ValueError("mDNS: a record is cut off")
        if kind == _PTR and name == service:
            instances.append(_name(data, start)[0])
        elif kind == _SRV:
            hosts[name] = _u16(data, start + 4), _name(data, start + 6)[0]
        elif kind == _TXT:
            texts[name] = _pairs(data, start, at)
        elif kind == _A and at == start + 4:
            addresses.append((name, "%d.%d.%d.%d" % tuple(data[start:at])))
    found: list = []
    for instance in instances:
        port, target = hosts.get(instance, (0, None))
        for name, address in addresses:
            if port and name == target and len(found) < _FOUND and is_local(address):
                found.append((instance, address, port, texts.get(instance, {})))
    return found


def _pairs(data, at, end):
    pairs = {}
    while at < end:
        start = at + 1
        at = start + data[at]
        if at > end:
            raise ValueError("mDNS: a TXT record is cut off")
        key, _, value = bytes(data[start:at]).partition(b"=")
        pairs[key.lower()] = value
    return pairs


def _octets(address):
    return [int(octet) for octet in address.split(".")]


# Returns the (address, port) of up to 4 servers within the joined network, in the order they
# answered; an empty list when the time is over. Whatever else arrives is passed over.
async def browse(address, netmask, timeout_ms, group=_GROUP):
    import select
    import socket

    own = _octets(address)
    mask = _octets(netmask)

    def is_local(other):
        return all((a ^ b) & m == 0 for a, b, m in zip(own, _octets(other), mask))

    ident = os.urandom(2)
    found: list = []
    start = time.ticks_ms()
    end_ms = timeout_ms
    asked = 0
    endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        endpoint.setblocking(False)
        group = socket.getaddrinfo(*group)[0][-1]
        looking = select.poll()
        looking.register(endpoint, select.POLLIN)
        while len(found) < _FOUND:
            now_ms = time.ticks_diff(time.ticks_ms(), start)
            if now_ms >= end_ms:
                break
            if not found and asked < 2 and now_ms >= asked * _AGAIN_MS:
                asked += 1
                _send(endpoint, query(ident), group)
            if not looking.poll(0):  # recv would take its room before it knows
                await asyncio.sleep_ms(_POLL_MS)
                continue
            # Not readinto, which reads several datagrams as one.
            try:
                packet = endpoint.recv(_LARGEST)
            except OSError:
                continue
            await asyncio.sleep_ms(0)  # whoever floods us does not stop the event loop
            try:
                answers = parse(packet, ident, is_local)
            except ValueError:
                continue
            if answers and not found:
                end_ms = min(end_ms, time.ticks_diff(time.ticks_ms(), start) + _GRACE_MS)
            for _, host, port, _ in answers:
                if (host, port) not in found:
                    found.append((host, port))
        return found[:_FOUND]
    finally:
        endpoint.close()


# Sends, if it can. A network that has just come up may have no route yet; the second query finds
# it.
def _send(endpoint, data, group):
    try:
        endpoint.sendto(data, group)
    except OSError:
        pass

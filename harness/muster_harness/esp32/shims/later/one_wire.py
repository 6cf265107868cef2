# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# _onewire: single steps on a 1-Wire bus, whose devices are the test's (parts/one_wire.py).

import host_link
from pin import number


def reset(pin):
    return host_link.request("onewire", number(pin), "reset")


def readbit(pin):
    return host_link.request("onewire", number(pin), "bits", 1)[0]


def readbyte(pin):
    bits = host_link.request("onewire", number(pin), "bits", 8)
    return sum([bit << n for n, bit in enumerate(bits)])


def writebit(pin, bit):
    host_link.request("onewire", number(pin), "bits", [int(bool(bit))])


def writebyte(pin, byte):
    host_link.request("onewire", number(pin), "bits", [byte >> n & 1 for n in range(8)])


def crc8(data):
    crc = 0
    for byte in bytes(data):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc

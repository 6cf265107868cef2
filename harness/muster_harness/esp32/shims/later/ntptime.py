# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# ntptime, which an ESP32 has in its firmware: the time of an NTP server (RFC 4330), in seconds of
# the board's epoch, and the board's clock set to it.

import socket
import struct
import time as clock

import machine
from micropython import const

host = "pool.ntp.org"
timeout = 1  # seconds

_QUERY = b"\x1b" + bytes(47)  # version 3, mode 3: client
_TO_2000 = const(3155673600)  # from 1900
_YEAR_2024 = const(3913056000)  # earlier stamps belong to the era that begins in 2036


def time():
    address = socket.getaddrinfo(host, 123)[0][-1]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.settimeout(timeout)
        s.sendto(_QUERY, address)
        answer = s.recv(48)
    finally:
        s.close()
    seconds = struct.unpack_from("!I", answer, 40)[0]
    if seconds < _YEAR_2024:
        seconds += 1 << 32
    return seconds - _TO_2000


def settime():
    year, month, day, hour, minute, second, weekday = clock.gmtime(time())[:7]
    machine.RTC().datetime((year, month, day, weekday + 1, hour, minute, second, 0))

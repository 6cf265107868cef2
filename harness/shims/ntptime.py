# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# ntptime, which an ESP32's firmware contains: one SNTP question (RFC 4330) to one server.

import socket
import struct
from time import gmtime

host = "pool.ntp.org"
timeout = 1
_EPOCH_2000_S = 3155673600  # in seconds since 1900


def time():
    query = bytearray(48)
    query[0] = 0x1B  # version 3, client
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        asking.settimeout(timeout)
        asking.sendto(query, socket.getaddrinfo(host, 123)[0][-1])
        answer = asking.recv(48)
    finally:
        asking.close()
    return struct.unpack("!I", answer[40:44])[0] - _EPOCH_2000_S


def settime():
    import machine

    now = gmtime(time())
    machine.RTC().datetime((now[0], now[1], now[2], now[6] + 1, now[3], now[4], now[5], 0))

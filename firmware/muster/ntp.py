# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The time from an NTP server (SNTP: RFC 5905, section 14). Nobody vouches for it: it is a guess,
# between the floor and twenty years after the build, that the next answer may correct either way.
# A name is looked up by getaddrinfo, which blocks the loop.

import asyncio
import os
import time

from micropython import const

from . import log
from .errors import DeviceError

_PORT = const(123)
_SIZE = const(48)
_PATIENCE_MS = const(4000)
_AGAIN_MS = const(1000)
_POLL_MS = const(10)
_YEARS_S = const(631152000)  # twenty: no device works longer on one build
_EPOCH_1900_S = const(2208988800)  # 1900-01-01 before 1970-01-01
_ERA_S = const(4294967296)  # seconds have 32 bits; the next era begins on 2036-02-07


# Sets the clock, or leaves it at its guess, which may do.
async def learn(host, clock):
    try:
        guess(clock, await ask(host, _PATIENCE_MS))
    except DeviceError as e:
        log.warn("clock", e)


# Sets the clock to what nobody vouches for. Never below the floor, and never back from a time that
# somebody has vouched for; an earlier guess may have been wrong either way.
def guess(clock, unix):
    earliest = clock.now() if clock.is_vouched else clock.floor
    if not earliest <= unix <= clock.built + _YEARS_S:
        log.warn("clock", "NTP says %d, which is not believed" % unix)
        return
    clock.show(unix)
    clock.is_known = True


# Returns the Unix time. Asks again each second; raises DeviceError clock_unknown when the time for
# it is over.
async def ask(host, timeout_ms, port=_PORT):
    import socket

    # What the server has to repeat; not our time, which is nobody's business (RFC 9769).
    cookie = os.urandom(8)
    question = b"\x23" + bytes(39) + cookie  # version 4, from a client
    start = time.ticks_ms()
    asked = 0
    endpoint = None
    try:
        server = socket.getaddrinfo(host, port, 0, socket.SOCK_DGRAM)[0][-1]
        endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        endpoint.setblocking(False)
        while True:
            now_ms = time.ticks_diff(time.ticks_ms(), start)
            if now_ms >= timeout_ms:
                raise _unknown(host, "no answer within %d ms" % timeout_ms)
            if now_ms >= asked * _AGAIN_MS:
                asked += 1
                endpoint.sendto(question, server)
            try:
                answer = endpoint.recv(_SIZE)
            except OSError:  # nothing yet
                await asyncio.sleep_ms(_POLL_MS)
                continue
            await asyncio.sleep_ms(0)  # whoever floods us does not stop the event loop
            seconds = parse(answer, cookie)
            if seconds is not None:
                return seconds
    except OSError as e:
        raise _unknown(host, "error %s" % e)
    finally:
        if endpoint:
            endpoint.close()


def _unknown(host, text):
    return DeviceError("clock_unknown", "NTP server %s: %s" % (host, text))


# Returns the Unix time of an answer to the question with that cookie, or None if it is none, or
# comes from a server that does not know the time itself.
def parse(answer, cookie):
    if len(answer) < _SIZE or answer[24:32] != cookie:
        return None
    leap, mode, stratum = answer[0] >> 6, answer[0] & 7, answer[1]
    if leap == 3 or mode != 4 or not 1 <= stratum <= 15:
        return None
    seconds = int.from_bytes(answer[40:44], "big")
    if answer[40] < 0x80:
        seconds += _ERA_S
    return seconds - _EPOCH_1900_S

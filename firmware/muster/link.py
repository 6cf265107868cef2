# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Whether the joined network carries anything, and what is done once it has carried nothing for
# minutes. The driver's "connected" is a hint; an answer, and be it a refusal, is a proof. Loaded
# when there is a doubt.

import asyncio
import errno
import select
import time

from micropython import const

from . import log
from .errors import DeviceError
from .modules import borrow
from .timeline import CURES, JOIN

_NEAR_MS = const(3000)
_FAR_MS = const(5000)
_POLL_MS = const(50)
_AGAIN_MS = const(1000)
_DNS = const(53)
_WEB = const(80)
_NOWHERE = const("0.0.0.0")  # noqa: S104 (what a lease does not name)
# Which are the root's name servers? Any DNS server answers that, or refuses to (RFC 1035).
_QUESTION = const(b"LK\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01")
# Nobody listens, but somebody has said so. lwIP calls a refused connection a reset one.
_REFUSALS = (errno.ECONNREFUSED, errno.ECONNRESET)

# How long everybody has to be silent before the device joins anew, switches its radio off and on,
# and restarts; each further restart takes twice as long, up to 8 hours.
_SILENT_S = const((120, 300, 900))
_DOUBLINGS = const(5)
_CURES = const(("joins anew", "switches its radio off and on", "restarts"))


# Tells whether anybody answers: router or name server, else platform or configuration server. No
# application's traffic is needed for it, and no raw socket: a TCP connection that is refused
# proves as much as one that is made.
async def is_alive(wifi, config):
    try:
        _, _, gateway, dns = wifi.address()
    except OSError:
        return False
    near = [(gateway, _WEB)] if gateway != _NOWHERE else []
    if await _answers(near, dns if dns != _NOWHERE else None, _NEAR_MS):
        return True
    far = [borrow("url", "split", config[who]["url"]) for who in ("platform", "config_server")]
    return await _answers([(host, port) for _, host, port, _ in far], None, _FAR_MS)


async def _answers(places, dns, timeout_ms):
    import socket

    began = time.ticks_ms()
    poller = select.poll()
    opened = []
    asker = None
    asked = 0
    try:
        for host, port in places:
            stream = _dialled(socket, host, port)
            if stream:
                opened.append(stream)
                poller.register(stream, select.POLLOUT)
        if dns:
            asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.append(asker)
            asker.setblocking(False)
        while opened:
            passed_ms = time.ticks_diff(time.ticks_ms(), began)
            if passed_ms > timeout_ms:
                break
            if asker and passed_ms >= asked * _AGAIN_MS:
                asked += 1
                _ask(socket, asker, dns)
            if asker and _has_answer(asker):
                return True
            for stream, _ in poller.poll(0):
                if _is_proof(stream):
                    return True
                poller.unregister(stream)
            await asyncio.sleep_ms(_POLL_MS)
        return False
    finally:
        for stream in opened:
            stream.close()


# Begins a connection, or returns None if there is no way there. A name is looked up, which stops
# the event loop: for once, when router and name server are silent anyway.
def _dialled(socket, host, port):
    stream = None
    try:
        info = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
        stream = socket.socket(info[0], info[1], info[2])
        stream.setblocking(False)
        stream.connect(info[-1])
    except OSError as e:
        if stream is None or e.errno != errno.EINPROGRESS:
            if stream:
                stream.close()
            return None
    return stream


def _ask(socket, asker, dns):
    try:
        asker.sendto(_QUESTION, socket.getaddrinfo(dns, _DNS)[0][-1])
    except OSError:  # no route: nobody will answer
        pass


def _has_answer(asker):
    try:
        return asker.recv(12)[:2] == _QUESTION[:2]
    except OSError:  # nothing yet
        return False


# Tells what has become of a connection: made, refused, or given up by the driver.
def _is_proof(stream):
    try:
        stream.recv(1)
    except OSError as e:
        return e.errno == errno.EAGAIN or e.errno in _REFUSALS
    return True


# Looks at the link of a device at work, or of one that cannot register. Raises DeviceError, or
# restarts the board, once it has been silent for too long. operation: operation.py's.
async def look(operation):
    if await is_alive(operation.life.wifi, operation.config):
        operation.silent_since = None
        timeline = operation.life.timeline
        if timeline.record[CURES]:
            timeline.put(CURES, b"\0")
    else:
        await silent(operation)


# Notes that nobody has answered. Does what it is time for: raises DeviceError, so that the device
# joins anew, or restarts the board.
async def silent(operation):
    life = operation.life
    now = time.ticks_ms()
    if operation.silent_since is None:
        operation.silent_since = now
    silent_s = time.ticks_diff(now, operation.silent_since) // 1000
    cures = life.timeline.record[CURES]
    if silent_s < due_s(cures) or (life.hosting and cures >= 2):
        return
    life.timeline.put(CURES, bytes((min(cures + 1, 255),)))
    text = "joined, and nobody has answered for %d s: %s" % (silent_s, _CURES[min(cures, 2)])
    error = DeviceError("wifi_timeout", text)
    error.step = JOIN
    operation.is_home = False
    if cures >= 2:
        await _restart(operation, error)
    await life.wifi.leave()
    if cures:
        life.wifi.stop()
    raise error


# Returns how long it has to be silent before the next cure, after so many in a row.
def due_s(cures):
    if cures < 2:
        return _SILENT_S[cures]
    return _SILENT_S[2] << min(cures - 2, _DOUBLINGS)


async def _restart(operation, error):
    life = operation.life
    life.timeline.failed(error)
    life.journal.failed(operation.config["version"], error)
    try:
        life.journal.save()
        await operation.stop()
    except (DeviceError, RuntimeError) as e:  # the restart ends an application that goes on
        log.error("link", e)
    borrow("hardware", "restarter")()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One sync: the device reports, the server directs (steps 5 and 6, and every later contact).

import binascii
import gc

from micropython import const

from . import log
from .actions import FORGET, KEEP
from .errors import DeviceError
from .modules import release
from .timeline import RECEIVE, REPORT

_TIMEOUT_MS = const(15000)
_LARGEST_ANSWER = const(8192)
_ROOM = const(1280)  # for the answer with a usual configuration
_HEADERS = {"Content-Type": "application/octet-stream"}
_LONGEST_RETRY_S = const(300)  # errors are not authenticated: their Retry-After is only a hint


# Which key a sync uses: the label's, or the one of a configuration's version.
class Key:
    def __init__(self, k, psk):
        self.k = k  # "label", or the version as text
        self.psk = psk


def label_key(identity):
    from .hkdf import hkdf

    info = b"sync-psk\x00" + identity.device_id.encode()
    return Key("label", hkdf(b"muster/1", identity.secret, info, 32))


def version_key(config):
    psk = binascii.a2b_base64(config["config_server"]["key"])
    return Key(str(config["version"]), psk)


# Asks the configuration's own server, under its key; under the label's if is_ignored.
async def ask_known(config, identity, is_ignored, report, timeline):
    from .url import split

    _, host, port, _ = split(config["config_server"]["url"])
    del split
    release("url")
    key = label_key(identity) if is_ignored else version_key(config)
    answer = await ask((host, port), identity.device_id, key, report, timeline)
    if is_ignored and answer.action == FORGET:
        answer.action = KEEP  # whoever has only the label may not take a device away
    return answer


# Sends what report returns, and returns the checked directive. server is (host, port). Each step
# that ends is noted in the timeline; the one that fails is left open for the caller to note.
async def ask(server, device_id, key, report, timeline, timeout_ms=_TIMEOUT_MS):
    timeline.begin(REPORT)
    gc.collect()
    try:
        text = await _exchange(server, device_id, key, report, timeline, timeout_ms)
    finally:
        release("noise", "http")
    from .directive import parse

    answer = parse(text)
    del parse
    release("directive", "configuration", "schema", "url")
    if answer.config:
        log.hide_config(answer.config)
    timeline.done(_summary(answer))
    return answer


async def _exchange(server, device_id, key, report, timeline, timeout_ms):
    host, port = server
    try:
        room = bytearray(_ROOM)  # while there still is so much in one piece
    except MemoryError:
        room = bytearray()  # most answers are short
    text = report().encode()
    from .noise import Initiator

    noise = Initiator(key.psk, ("muster/1/%s/%s" % (device_id, key.k)).encode())
    message = await noise.write(text)
    state = noise.suspended()
    del text, noise, Initiator
    release("noise")
    size = len(message)
    path = "/v1/devices/%s/sync?k=%s" % (device_id, key.k)
    from .http import Connection

    gc.collect()
    connection = Connection(host, port)
    # Under the same name, so that the sealed report stands in RAM once.
    message = [connection.message("POST", path, _HEADERS, message)]
    try:
        status, headers, body = await connection.exchange(
            message, timeout_ms, _LARGEST_ANSWER, room
        )
    finally:
        connection.close()
    del connection, Connection, room
    release("http")
    if status != 200:
        raise _rejected(status, headers)
    timeline.done("%d bytes to %s:%d" % (size, host, port))
    timeline.begin(RECEIVE)
    from .noise import resumed

    return await resumed(state).read(body)


def _rejected(status, headers):
    try:
        retry_s = max(0, min(int(headers.get("retry-after", "0")), _LONGEST_RETRY_S))
    except ValueError:
        retry_s = 0
    text = "the configuration server says HTTP %d" % status
    return DeviceError("server_rejected", text, retry_s)


def _summary(answer):
    if answer.config:
        return "configure with version %d" % answer.config["version"]
    return answer.action

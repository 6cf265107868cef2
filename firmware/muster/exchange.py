# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One exchange with a configuration server, sealed with Noise. Loaded by sync.py when needed.

import gc

from micropython import const

from .modules import borrow, release
from .timeline import RECEIVE

_LARGEST_ANSWER = const(8192)
_ROOM = const(1280)  # for the answer with a usual configuration
_HEADERS = {"Content-Type": "application/octet-stream"}


# Sends what report returns to the server, a (host, port), under this key. Returns the text of the
# directive. Notes each step that ends in the timeline, and leaves one that fails open for the
# caller to note. key: as of keys.py. Raises DeviceError.
async def exchange(server, identity, key, report, timeline, timeout_ms):
    host, port = server
    k = key[0]
    text = report().encode()
    from .noise import Initiator

    psk = borrow("keys hkdf", "psk", identity, key)
    noise = Initiator(psk, ("muster/1/%s/%s" % (identity.device_id, k)).encode())
    message = await noise.write(text)
    state = noise.suspended()
    del text, noise, psk, Initiator
    release("noise")
    size = len(message)
    path = "/v1/devices/%s/sync?k=%s" % (identity.device_id, k)
    from .http import Connection

    gc.collect()
    try:
        room = bytearray(_ROOM)  # while there still is so much in one piece
    except MemoryError:
        room = bytearray()  # most answers are short
    connection = Connection(host, port)
    # Under the same name, so that the sealed report stands in RAM once.
    message = [connection.message("POST", path, _HEADERS, message)]
    try:
        status, headers, body = await connection.exchange(
            message, timeout_ms, _LARGEST_ANSWER, _is_own, room
        )
    finally:
        connection.close()
    del connection, Connection, room
    release("http")
    if status != 200:
        raise borrow("refusal", "rejected", k, status, headers, body)
    timeline.done("%d bytes to %s:%d" % (size, host, port))
    timeline.begin(RECEIVE)
    from .noise import resumed

    return await resumed(state).read(body)


# Tells whether it is a configuration server that has answered: sealed, or with a problem
# (RFC 9457).
def _is_own(status, headers):
    kind = "application/octet-stream" if status == 200 else "application/problem+json"
    return headers.get("content-type", "").startswith(kind)

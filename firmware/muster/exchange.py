# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One exchange with a configuration server, sealed with Noise. Loaded by sync.py when needed.

import binascii
import gc

from micropython import const

from .actions import ADOPTED, LABEL
from .errors import DeviceError
from .modules import borrow, release
from .timeline import RECEIVE

_LARGEST_ANSWER = const(8192)
_ROOM = const(1280)  # for the answer with a usual configuration
_HEADERS = {"Content-Type": "application/octet-stream"}
_PURPOSES = {LABEL: b"sync-psk", ADOPTED: b"adopted-psk"}
_LONGEST_RETRY_S = const(300)  # errors are not authenticated: their Retry-After is only a hint


# Returns the pre-shared key. key: its name, and what the configuration says for it, as key_of() in
# sync.py makes them.
def _psk(identity, key):
    name, secret = key
    secret = binascii.a2b_base64(secret)
    if name not in _PURPOSES:
        return secret
    from .hkdf import hkdf

    info = _PURPOSES[name] + b"\x00" + identity.device_id.encode()
    return hkdf(b"muster/1", identity.secret + secret, info, 32)


# Sends what report returns to the server, a (host, port), under this key. Returns the text of the
# directive. Notes each step that ends in the timeline, and leaves one that fails open for the
# caller to note. Raises DeviceError.
async def exchange(server, identity, key, report, timeline, timeout_ms):
    host, port = server
    k, psk = key[0], _psk(identity, key)
    try:
        room = bytearray(_ROOM)  # while there still is so much in one piece
    except MemoryError:
        room = bytearray()  # most answers are short
    text = report().encode()
    from .noise import Initiator

    noise = Initiator(psk, ("muster/1/%s/%s" % (identity.device_id, k)).encode())
    message = await noise.write(text)
    state = noise.suspended()
    del text, noise, Initiator
    release("noise")
    size = len(message)
    path = "/v1/devices/%s/sync?k=%s" % (identity.device_id, k)
    from .http import Connection

    gc.collect()
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
        raise _rejected(k, status, headers, body)
    timeline.done("%d bytes to %s:%d" % (size, host, port))
    timeline.begin(RECEIVE)
    from .noise import resumed

    return await resumed(state).read(body)


# Tells whether it is a configuration server that has answered: sealed, or with a problem
# (RFC 9457).
def _is_own(status, headers):
    kind = "application/octet-stream" if status == 200 else "application/problem+json"
    return headers.get("content-type", "").startswith(kind)


def _rejected(k, status, headers, body):
    if k == ADOPTED and status == 403:  # in its way it says that it cannot be the server
        text = "this configuration server has not adopted the device; if it has lost its "
        text += "database, restore that, or hold the button for 15 s"
        return DeviceError("server_untrusted", text)
    retry_s = min(borrow("retry_after", "seconds", status, headers), _LONGEST_RETRY_S)
    text = "the configuration server says HTTP %d" % status
    return DeviceError("server_rejected", text + borrow("refusal", "code", body), retry_s)

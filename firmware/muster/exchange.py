# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One exchange with a configuration server, sealed with Noise. Loaded by sync.py when needed.

import binascii
import gc

from micropython import const

from .errors import DeviceError
from .modules import borrow, release
from .timeline import RECEIVE

_LARGEST_ANSWER = const(8192)
_ROOM = const(1280)  # for the answer with a usual configuration
_HEADERS = {"Content-Type": "application/octet-stream"}
_LONGEST_RETRY_S = const(300)  # errors are not authenticated: their Retry-After is only a hint


# Returns the key of this exchange, and its name: a version, or "label" if config is None.
def _key(identity, config):
    if config is None:
        from .hkdf import hkdf

        info = b"sync-psk\x00" + identity.device_id.encode()
        return "label", hkdf(b"muster/1", identity.secret, info, 32)
    return str(config["version"]), binascii.a2b_base64(config["config_server"]["key"])


# Sends what report returns to the server, a (host, port), under the key of a configuration, or the
# label's. Returns the text of the directive. Notes each step that ends in the timeline, and leaves
# one that fails open for the caller to note. Raises DeviceError.
async def exchange(server, identity, config, report, timeline, timeout_ms):
    host, port = server
    k, psk = _key(identity, config)
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
        raise _rejected(status, headers, body)
    timeline.done("%d bytes to %s:%d" % (size, host, port))
    timeline.begin(RECEIVE)
    from .noise import resumed

    return await resumed(state).read(body)


# Tells whether it is a configuration server that has answered: sealed, or with a problem
# (RFC 9457).
def _is_own(status, headers):
    kind = "application/octet-stream" if status == 200 else "application/problem+json"
    return headers.get("content-type", "").startswith(kind)


def _rejected(status, headers, body):
    retry_s = min(borrow("retry_after", "seconds", status, headers), _LONGEST_RETRY_S)
    text = "the configuration server says HTTP %d" % status
    return DeviceError("server_rejected", text + borrow("refusal", "code", body), retry_s)

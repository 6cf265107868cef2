# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a server answers over HTTP, in pieces of any size, twice on a connection that is kept.

from mutation import changed_bytes, some
from stand_ins import drive, peer

from muster.errors import DeviceError
from muster.http import Connection
from muster.refusal import rejected

ROOM = 4 << 20  # garbage of headers and of chunks that come byte by byte
_LIMIT = 4096
_BODY = b'{"m2m:ae":{"rn":"x"}}'
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-M2M-RSC: 2001\r\n"
_FIXED = _OK + b"Content-Length: 21\r\n\r\n" + _BODY
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n15;a=b\r\n" + _BODY + b"\r\n0\r\nX: y\r\n\r\n"
_DATED = _OK + b"Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"
_LATER = _DATED + b"Retry-After: Tue, 15 Nov 1994 08:14:31 GMT\r\nContent-Length: 0\r\n\r\n"
_EARLIER = _DATED + b"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# The first byte says in how large pieces it comes.
SEEDS = [
    b"\x7f" + _FIXED, b"\x01" + _CHUNKED, b"\x0f" + _BUSY, b"\xff" + _FIXED * 2,
    b"\x20" + _OK + b"\r\n",
    b"\x7fHTTP/1.0 200 OK\r\n\r\n" + bytes(300), b"\x40HTTP/1.1 204 No Content\r\n\r\n" + _FIXED,
    b"\x10HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + _FIXED, b"\x33" + _CHUNKED + _CHUNKED,
    b"\x7f" + _LATER, b"\x7f" + _EARLIER,
]  # fmt: skip
_WORDS = [
    b"Location: http://", b"Server: ", b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    b"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n", b"Content-Encoding: gzip\r\n",
    b"\r\n", b"\r\n\r\n", b"\n", b": ", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n",
    b"Retry-After: -1\r\n", b"Retry-After: 99999999999999999999\r\n", b"HTTP/1.1 ", b"HTTP/1.0 ",
    b"ffffffff\r\n", b"-1\r\n", b"0\r\n\r\n", b"Connection: close\r\n", b"100", b"\xff\xfe",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: 4097\r\n", b"204", b"304",
]  # fmt: skip


def make(corpus):
    return changed_bytes(some(corpus), some(corpus), _WORDS)


def play(data):
    peer.said = data[1:]
    peer.piece = data[0] + 1 if data else 1
    connection = Connection("192.168.4.2", 8421)
    for _ in range(2):
        try:
            wrong = _asked(connection)
        except DeviceError as e:
            return _error(e)
        if wrong:
            return wrong
    connection.close()
    return None


def _asked(connection):
    message = connection.message("GET", "/x", {}, None)
    status, headers, body = drive(connection.exchange([message], 1000, _LIMIT, _is_own))
    if not 0 <= status <= 999 or len(body) > _LIMIT:
        return "an answer that none is: %d, %d bytes" % (status, len(body))
    for name in headers:
        if "\n" in headers[name]:
            return "a header of two lines"
    error = rejected("label", status, headers, body)
    if not 0 <= error.retry_s <= 300:
        return "a stranger makes the device wait for %d s" % error.retry_s
    return _error(error)


# Some are a stranger's, whose words go into an error.
def _is_own(status, headers):
    return status != 503 and "location" not in headers


def _error(e):
    known = ("server_unreachable", "server_rejected")
    return None if e.code in known and len(str(e)) < 300 else "not said well: %r" % e

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The head of an HTTP answer (RFC 9112): who has answered, and how its body comes.
# Loaded by http.py when an answer has begun.

from micropython import const

from .modules import borrow
from .radio import printable

# What is read of a head; other lines are passed over, whatever they hold.
_FRAMING = const(("content-length", "transfer-encoding", "connection", "content-encoding"))
_KEPT = const(
    ("content-type", "date", "location", "retry-after", "server", "x-m2m-ri", "x-m2m-rsc")
)
_LONGEST = const(160)  # of several lines of one name


# Reads the rest of a head. connection: an http.Connection. line: the first line. is_own: as for
# Connection.exchange. Returns (status, {lower-case name: value} of the headers worth keeping, the
# body's length, -1 if it comes in chunks and None if it ends with the connection, and whether the
# server keeps the connection). Raises DeviceError.
async def read(connection, line, is_own):
    status = _status(connection, line)
    while status < 200:  # 100 Continue and its like say nothing yet
        while await connection.line():
            pass
        line = await connection.line()
        status = _status(connection, line)
    head = await _head(connection)
    length, transfer, keeping, coding = [head.pop(name, "").lower() for name in _FRAMING]
    if not is_own(status, head):
        error = connection.failure(borrow("stranger", "described", status, head))
        error.retry_s = borrow("retry_after", "seconds", status, head)
        raise error
    if coding not in ("", "identity"):
        raise _useless(connection, "coding", coding)
    is_kept = "close" not in keeping if line.startswith(b"HTTP/1.1") else "keep-alive" in keeping
    if status == 204 or status == 304:
        return status, head, 0, is_kept
    if transfer:
        if transfer != "chunked":
            raise _useless(connection, "transfer", transfer)
        return status, head, -1, is_kept
    if not length:
        return status, head, None, False
    if not length.isdigit():
        raise _useless(connection, "length", length)
    return status, head, int(length), is_kept


def _status(connection, line):
    if not line.startswith(b"HTTP/1.") or not line[9:12].isdigit():
        raise _useless(connection, "", printable(line[:40]))
    return int(line[9:12])


def _useless(connection, what, said):
    return connection.failure(borrow("stranger", "useless", what, said))


async def _head(connection):
    head: dict = {}
    while True:
        line = await connection.line()
        if not line:
            return head
        name, _, value = line.partition(b":")
        try:
            name = name.decode().lower()
        except UnicodeError:
            continue
        if name in _KEPT or name in _FRAMING:
            value = printable(value.strip())
            if name in head and head[name] != value:
                value = "%s, %s" % (head[name], value)
            head[name] = value[:_LONGEST]

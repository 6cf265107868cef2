# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What HTTP/1.1 a guest of the setup network may speak, and how it is answered: one request a
# connection, everything bounded.

from micropython import const

_LINE = const(512)
_LINES = const(40)
_CHUNK = const(512)
_DRAINED = const(4194304)  # a browser reads the answer only after it has sent all; at most so much


# Gives what a guest sends, a piece at a time. Raises OSError once the guest has gone.
class Incoming:
    def __init__(self, reader):
        self._reader = reader
        self._rest = b""

    async def some(self, most):
        rest = self._rest or await self._reader.read(_CHUNK)
        if not rest:
            raise OSError
        self._rest = rest[most:]
        return rest[:most]

    # Returns a line without its end. Raises ValueError if it is too long or no text.
    async def line(self):
        line = b""
        while b"\n" not in line:
            if len(line) > _LINE:
                raise ValueError("a line is too long")
            line += await self.some(_CHUNK)
        line, _, self._rest = line.partition(b"\n")  # all of it had been taken
        try:
            return line.decode().rstrip("\r")
        except UnicodeError:
            raise ValueError("a header that is not text")


# Returns (method, path, host, content type, content length or None). Raises ValueError if it is
# not HTTP or too long.
async def read(incoming):
    words = (await incoming.line()).split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise ValueError("not HTTP/1")
    kind, size, host, origin = "", None, "", None
    for _ in range(_LINES):
        line = await incoming.line()
        if not line:
            # What another site's page lets a browser send here is not what its user wants.
            if origin is not None and origin.partition("//")[2] != host:
                raise ValueError("sent from the page of another site")
            return words[0], words[1], host, kind, size
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip()
        if name == "content-type":
            kind = value
        elif name == "content-length":
            if not value.isdigit() or len(value) > 9:
                raise ValueError("no sensible length")
            size = int(value)
        elif name == "host":
            host = value
        elif name == "origin":
            origin = value
        elif name == "transfer-encoding":
            raise ValueError("a length is wanted, not chunks")
    raise ValueError("too many headers")


# Tells whether a host is a name, not an address: then the guest has wanted to go elsewhere.
def is_name(host):
    return bool(host.partition(":")[0].strip("0123456789."))


# Answers with a line of plain text. Raises OSError if the guest has gone.
async def answer(writer, status, text, headers=""):
    begin(writer, status, "text/plain", len(text) + 1, headers)
    writer.write(text + "\n")
    await writer.drain()


# Answers with a page, given in pieces. Raises OSError if the guest has gone.
async def show(writer, status, pieces, has_body=True):
    begin(writer, status, "text/html", sum([len(piece) for piece in pieces]), _POLICY)
    if has_body:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    await writer.drain()


_POLICY = "Content-Security-Policy: default-src 'none';style-src 'unsafe-inline'\r\n"


# Writes the head of an answer.
def begin(writer, status, kind, size, headers=""):
    writer.write(
        "HTTP/1.1 %d -\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %d\r\n"
        "Connection: close\r\nCache-Control: no-store\r\n%s\r\n" % (status, kind, size, headers)
    )


# Passes over what is still on its way: with it unread the connection would be reset, and the
# answer lost.
async def drain(incoming, size):
    size = min(size, _DRAINED)
    while size > 0:
        size -= len(await incoming.some(size))

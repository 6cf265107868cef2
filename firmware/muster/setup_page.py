# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The page of the setup network: takes a bundle as a file or as text, and shows what became of the
# last one. HTML alone, no script. Everything is bounded, and an upload streams into the flash.

import asyncio

from micropython import const

from . import delivery, inbox, log
from .errors import DeviceError
from .form import Form

_LINE = const(512)
_LINES = const(40)
_BODY = const(16384)  # a bundle with all its white space, and what a form puts around it
_CHUNK = const(512)
_GUESTS = const(3)
_REQUEST_MS = const(60000)
_DRAINED = const(4194304)  # a browser reads the answer only after it has sent all; at most so much
_HEAD = """<!doctype html><html lang="en"><meta charset="utf-8">\
<meta name="viewport" content="width=device-width,initial-scale=1"><title>%s</title>\
<style>body{font:1.1em sans-serif;max-width:34em;margin:1em auto;padding:0 1em}\
textarea{width:100%%}.receipt{font:bold 2em monospace}</style><h1>%s</h1>"""
_FORM = """<form method="post" action="/bundle" enctype="multipart/form-data">\
<p><label>The bundle's file: <input type="file" name="file"></label></p>\
<p><label>or its text:<br><textarea name="text" rows="6"></textarea></label></p>\
<p><button>Configure this device</button></p></form>"""
_TAKEN = """<p id="taken"><b>The bundle with version %d is for this device and whole.</b></p>"""
_KEPT = """<p id="taken"><b>The bundle has arrived.</b></p>"""
_AWAY = """<p>It is tried now. This network goes away meanwhile, for some minutes at most. \
Join it again and <a href="/">open this page</a> to see the result and the receipt.</p>"""


class Page:
    def __init__(self, label, store, journal, clock):
        self._label = label
        self._store = store
        self._journal = journal
        self._clock = clock
        self._guests: list = []  # the tasks that serve them
        self._is_taking = False
        self.accepted = asyncio.Event()

    # Serves one connection, one request. For asyncio.start_server.
    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self._guests.append(task)
        try:
            if len(self._guests) > _GUESTS:
                await _answer(writer, 503, "too many at once; try again", "Retry-After: 3\r\n")
            else:
                await asyncio.wait_for_ms(self._serve(reader, writer), _REQUEST_MS)
        except (OSError, asyncio.TimeoutError):  # gone, or silent
            pass
        except MemoryError as e:
            log.warn("setup", "no memory for a guest: %s" % e)
            await _sorry(writer)
        finally:
            self._guests.remove(task)
            writer.close()
            await writer.wait_closed()

    # Ends whatever is still served: what comes after the network is heard of by nobody.
    def close(self):
        for task in self._guests:
            task.cancel()

    async def _serve(self, reader, writer):
        try:
            incoming = _Incoming(reader)
            method, path, kind, size = await _request(incoming)
        except ValueError as e:
            await _answer(writer, 400, str(e))
            return
        if path == "/bundle" and method == "POST":
            await self._take(incoming, writer, kind, size)
        elif path != "/":
            await _answer(writer, 404, "there is only /")
        elif method not in ("GET", "HEAD"):
            await _answer(writer, 405, "only GET here", "Allow: GET, HEAD\r\n")
        else:
            await self._show(writer, 200, self._outcome() + _FORM, method == "GET")

    async def _take(self, incoming, writer, kind, size):
        if size is None:
            await _answer(writer, 411, "the length is missing")
        elif size > _BODY:
            await _answer(writer, 413, "no bundle has %d bytes" % size)
            await _drain(incoming, size)
        elif self._is_taking or self.accepted.is_set():
            await _answer(writer, 503, "there is another upload; try again", "Retry-After: 5\r\n")
            await _drain(incoming, size)
        else:
            self._is_taking = True
            try:
                await self._take_one(incoming, writer, kind, size)
            finally:
                self._is_taking = False

    async def _take_one(self, incoming, writer, kind, size):
        try:
            version, error = await self._received(incoming, kind, size)
        except (DeviceError, ValueError) as e:
            text = "<p id='refused'><b>Not taken.</b> %s</p>" % _escaped(str(e))
            await self._show(writer, 422, text + _FORM)
            return
        log.info("setup", "a bundle with version %s" % (version or "not looked at yet"))
        try:
            if error is None:
                await self._show(writer, 200, (_TAKEN % version if version else _KEPT) + _AWAY)
            else:
                text = "<p id='refused'><b>It cannot be applied.</b> %s</p>" % _escaped(str(error))
                await self._show(writer, 422, text + "<p>Join again for the receipt.</p>")
        finally:  # even if the guest has gone by now
            self.accepted.set()

    async def _received(self, incoming, kind, size):
        log.info("setup", "receives a bundle")
        upload = inbox.Upload(inbox.PAGE)
        path = None
        try:
            form = Form(kind, upload.write)
            while size:
                chunk = await incoming.some(size)
                size -= len(chunk)
                form.feed(chunk)
            form.end()
            path = upload.finish()
        except (DeviceError, ValueError):
            await _drain(incoming, size)
            raise
        finally:
            if path is None:
                upload.abort()
        return await delivery.receive(path, self._label, self._store, self._journal, self._clock)

    def _outcome(self):
        last = delivery.last(self._store)
        if last is None:
            return "<p>No configuration has been brought yet.</p>"
        if last["code"] is None:
            return "<p>Version %d has not been tried yet.</p>" % last["version"]
        if last["code"] == "ok":
            text = "<p id='outcome'>Version %d is applied.</p>" % last["version"]
        else:
            found = (last["version"], last["code"], _escaped(last["detail"]))
            text = "<p id='outcome'>Version %d was not applied, <b>%s</b>: %s</p>" % found
        if last["receipt"]:
            shown = delivery.grouped(last["receipt"])
            text += "<p>The receipt for the portal:<br><span class='receipt'>%s</span></p>" % shown
        return text

    async def _show(self, writer, status, body, has_body=True):
        who = self._label.device_id
        head = _HEAD % (who, who)
        size = len(head) + len(body.encode())
        _begin(writer, status, "text/html; charset=utf-8", size)
        if has_body:
            writer.write(head)
            writer.write(body)
        await writer.drain()


# Gives what a guest sends, a piece at a time. Raises OSError once the guest has gone.
class _Incoming:
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


# Returns (method, path, content type, content length or None). Raises ValueError if it is not HTTP
# or too long.
async def _request(incoming):
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
            return words[0], words[1], kind, size
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


async def _sorry(writer):
    try:
        await _answer(writer, 503, "no memory for this now; try again", "Retry-After: 5\r\n")
    except (OSError, MemoryError):
        pass


async def _answer(writer, status, text, headers=""):
    _begin(writer, status, "text/plain; charset=utf-8", len(text) + 1, headers)
    writer.write(text + "\n")
    await writer.drain()


def _begin(writer, status, kind, size, headers=""):
    writer.write(
        "HTTP/1.1 %d -\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n"
        "Cache-Control: no-store\r\n%s\r\n" % (status, kind, size, headers)
    )


# Passes over what is still on its way: with it unread the connection would be reset, and the
# answer lost.
async def _drain(incoming, size):
    size = min(size, _DRAINED)
    while size > 0:
        size -= len(await incoming.some(size))


def _escaped(text):
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39")):
        text = text.replace(character, "&%s;" % name)
    return text

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The page of the setup network: takes a bundle as a file or as text, and shows what became of the
# last one. Everything is bounded, and an upload streams into the flash. What it looks like is in
# setup_view.py.

import asyncio

from micropython import const

from . import log, setup_request
from .errors import DeviceError
from .modules import borrow, borrowed, release

_BODY = const(16384)  # a bundle with all its white space, and what a form puts around it
_FIELD = const(255)  # of the form for a network
_GUESTS = const(3)
_HEAD_MS = const(10000)  # browsers open connections that they may use later
_REQUEST_MS = const(60000)


# Names that are not private are for setup_view.py, which reads them.
class Page:
    # life: lifecycle.py's. ssid, address: of the network. heard: the names of networks to choose
    # from, where one may be given.
    def __init__(self, life, ssid, address, heard):
        self.heard = heard
        self.store = life.store
        self.label = life.identity
        self.journal = life.journal
        self.config = life.config
        self.ssid = ssid
        self.address = address
        self._clock = life.clock
        self.last = None  # what became of the last bundle, see delivery.py
        self.lacks = False  # it is here and brings no network
        self._guests: list = []  # the tasks that serve them
        self._is_taking = False
        self.accepted = asyncio.Event()

    # Serves one connection, one request. For asyncio.start_server.
    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self._guests.append(task)
        try:
            if len(self._guests) > _GUESTS:
                text = "too many at once; try again"
                await setup_request.answer(writer, 503, text, "Retry-After: 3\r\n")
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

    # Tells whether the configuration lets somebody give it a network, as such a bundle does.
    def takes_wifi(self):
        return bool(self.config and self.config["policy"].get("local_wifi"))

    async def _serve(self, reader, writer):
        answer = setup_request.answer
        incoming = setup_request.Incoming(reader)
        try:
            found: tuple = await asyncio.wait_for_ms(setup_request.read(incoming), _HEAD_MS)
        except ValueError as e:
            await answer(writer, 400, str(e))
            return
        method, path, host, kind, size = found
        if setup_request.is_name(host):
            # A phone that looks for the internet, or a page of another site's that has come here
            # by its name: neither may act under a name.
            own = "http://%s/" % self.address
            await answer(writer, 302, "the device is at " + own, "Location: %s\r\n" % own)
            await setup_request.drain(incoming, size or 0)
        elif method == "POST" and path == "/bundle":
            await self._take(incoming, writer, kind, size, False)
        elif method == "POST" and path == "/wifi" and self._may_take():
            await self._take(incoming, writer, kind, size, True)
        elif path != "/":
            await answer(writer, 404, "there is only /")
        elif method not in ("GET", "HEAD"):
            await answer(writer, 405, "only GET here", "Allow: GET, HEAD\r\n")
        else:
            await self._start(writer, 200, None, False, method == "GET")

    # is_wifi: what comes is a network, not a bundle.
    async def _take(self, incoming, writer, kind, size, is_wifi):
        answer = setup_request.answer
        if size is None:
            await answer(writer, 411, "the length is missing")
        elif size > _BODY:
            error = DeviceError("config_invalid", "size: no bundle has %d bytes" % size)
            await self._start(writer, 413, error, is_wifi)
            await setup_request.drain(incoming, size)
        elif self._is_taking or self.accepted.is_set():
            text = "there is another upload; try again"
            await answer(writer, 503, text, "Retry-After: 5\r\n")
            await setup_request.drain(incoming, size)
        else:
            self._is_taking = True
            try:
                await self._take_one(incoming, writer, kind, size, is_wifi)
            finally:
                self._is_taking = False

    async def _take_one(self, incoming, writer, kind, size, is_wifi):
        error = None
        try:
            if is_wifi:
                await self._receive_network(incoming, kind, size)
            else:
                found = await self._received(incoming, kind, size)
                if found is None:
                    await self._start(writer, 422, "", False)
                    return
                version, error = found
                log.info("setup", "a bundle with version %s" % (version or "not looked at yet"))
                if version and not error and self._has_to_ask():
                    await self._start(writer, 200, None, False)
                    return
        except (DeviceError, ValueError) as e:
            await self._start(writer, 422, e, is_wifi)
            return
        try:
            if is_wifi:
                shown = borrow("setup_view setup_words", "asked", self)
            else:
                shown = borrow("setup_view setup_words", "taken", self, version, error)
            await setup_request.show(writer, 422 if error else 200, shown)
        finally:  # even if the guest has gone by now
            self.accepted.set()

    # Tells whether a bundle has come that the device can only try with a network from here.
    def _has_to_ask(self):
        self._look()
        return self.lacks and not borrow("local_wifi", "load", self.store)["network"]

    def _may_take(self):
        self._look()
        return self.lacks or self.takes_wifi()

    # Before the page is loaded: there is no room for both.
    def _look(self):
        self.last, self.lacks = borrow("delivery inbox", "state", self.store)

    # Shows the page with the forms. error: for which an upload was not taken, "" if nothing was
    # sent; or None.
    async def _start(self, writer, status, error, is_wifi, has_body=True):
        self._look()
        shown = borrow("setup_view setup_words", "start", self, error, is_wifi)
        await setup_request.show(writer, status, shown, has_body)

    # Keeps the network that a form describes, to be tried. Raises DeviceError, or ValueError.
    async def _receive_network(self, incoming, kind, size):
        from .form import Form

        fields: dict = {}

        def note(chunk):
            value = fields.get(form.name, b"") + bytes(chunk)
            if len(value) > _FIELD:
                raise ValueError("a field is too long")
            fields[form.name] = value

        try:
            form = Form(kind, note)
            while size:
                chunk = await incoming.some(size)
                size -= len(chunk)
                form.feed(chunk)
            form.end()
        except ValueError:
            await setup_request.drain(incoming, size)
            raise
        borrow("setup_wifi local_wifi", "ask", self.store, fields)

    # Returns its version and what is wrong, as delivery.receive does; None if nothing was sent.
    async def _received(self, incoming, kind, size):
        log.info("setup", "receives a bundle")
        try:
            path = await self._kept(incoming, kind, size)
        finally:  # before anybody looks at it: beside an application there is no room for both
            release("form", "inbox")
        if path is None:
            return None
        return await borrowed(
            "delivery inbox", "receive", path, self.label, self.store, self.journal, self._clock
        )

    # Returns where the upload is, or None if nothing was sent.
    async def _kept(self, incoming, kind, size):
        from . import inbox
        from .form import Form

        upload = inbox.Upload(inbox.PAGE)
        path = None
        try:
            form = Form(kind, upload.write)
            while size:
                chunk = await incoming.some(size)
                size -= len(chunk)
                form.feed(chunk)
            form.end()
            if not upload.is_empty():
                path = upload.finish()
            return path
        except (DeviceError, ValueError):
            await setup_request.drain(incoming, size)
            raise
        finally:
            if path is None:
                upload.abort()


async def _sorry(writer):
    try:
        text = "no memory for this now; try again"
        await setup_request.answer(writer, 503, text, "Retry-After: 5\r\n")
    except (OSError, MemoryError):
        pass

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's oneM2M platform, over HTTP with JSON (oneM2M TS-0004, TS-0009): one connection, and
# what every request has in common.

import asyncio
import binascii
import gc
import os

from micropython import const

from .compact import dumps
from .errors import DeviceError
from .http import Connection
from .modules import borrow, borrowed
from .room import give

_TIMEOUT_MS = const(10000)
_LARGEST_ANSWER = const(4096)
_ROOM = const(640)  # bytes; a reading takes some 400, the timeline 500 and more
_INSTANCE = const(4)  # what is published: twice is not once
_NOTHING = const("4008")  # has come in the time that was granted


# Makes the platform that a configuration names. settings: config["platform"].
def platform_for(settings, device_id, clock):
    is_secure, host, port, base = borrow("url", "split", settings["url"])
    tls = None
    if is_secure:
        from .tls import Trust

        tls = Trust(settings["ca"], clock)
    else:
        give()  # what is kept for it
    connection = Connection(host, port, tls, "platform_unreachable", _ROOM)
    return Platform(settings, device_id, connection, base)


class Platform:
    # settings: config["platform"]. base: the path that its URL ends with.
    def __init__(self, settings, device_id, connection, base):
        self.label = "muster:" + device_id
        self.settings = settings
        self.originator = settings["originator"]
        self._base = base
        self._connection = connection
        self.lock = asyncio.Lock()  # application and life share the one connection
        # Of X-M2M-RI: nobody has seen it before, not even before a restart.
        self._boot = binascii.hexlify(os.urandom(3)).decode()
        self._request_id = 0
        self._closed_until = None  # in ticks: it has asked to be left alone
        self.is_silent = False  # the newest request has had no answer so far
        self.is_listening = False  # who has the lock waits for news, and gives way to others
        # (Unix time at which the registration wants to be renewed, its whole life in seconds);
        # None if it has no end or nobody has asked yet.
        self.lease = None

    # Makes step 9. Idempotent, see registration.py. To be awaited. Raises DeviceError.
    def register(self):
        return self.alone(self._register)

    def _register(self):
        gc.collect()
        return borrowed("registration onem2m", "register", self)

    # Makes a request of the application's, with the arguments of request().
    def ask(self, *request):
        return self.alone(self.request, *request)

    # Does one thing at a time, on a connection that ends with it, and nothing while the platform
    # wants to be left alone.
    async def alone(self, deed, *arguments):
        async with self.lock:
            if self._closed_until is not None:
                borrow("retry_after", "heed", self._closed_until)
                self._closed_until = None
            try:
                return await deed(*arguments)
            except DeviceError as e:
                if e.retry_s:
                    self._closed_until = borrow("retry_after", "until", e.retry_s)
                raise
            finally:
                self._connection.close()

    # Keeps the room for the next handshake where the last connection has left less of it. Nothing
    # is open unless somebody has the lock.
    def keep_room(self):
        if not self.lock.locked():
            self._connection.keep_room()

    # Makes the DeviceError of a request that the platform has refused. verb: what was asked for.
    # answer: the body.
    def refused(self, verb, rsc, answer):
        return borrow("refusal", "refused", verb, rsc, answer, self.settings["token"])

    # Sends a request and returns (response status code, body), to be awaited. What the message is
    # made of is let go before the wait. wait_s: how long the platform may wait for something to
    # answer with. Raises DeviceError.
    def request(self, method, path, kind=None, body=None, wait_s=0):
        self._request_id += 1
        headers = {
            "X-M2M-Origin": self.originator,
            "X-M2M-RI": self._ri(),
            "X-M2M-RVI": self.settings["rvi"],
            "Accept": "application/json",
        }
        if self.settings.get("token"):
            headers["Authorization"] = "Bearer " + self.settings["token"]
        if wait_s:
            headers["X-M2M-RET"] = "%d000" % wait_s
        if body:
            headers["Content-Type"] = "application/json" + (";ty=%d" % kind if kind else "")
        content = dumps(body).encode() if body else None
        path = "%s/%s" % (self._base, path)
        message = [self._connection.message(method, path, headers, content)]
        return self._exchange(message, kind != _INSTANCE, wait_s)

    async def _exchange(self, message, is_safe, wait_s):
        timeout_ms = _TIMEOUT_MS + wait_s * 1000
        exchanging = self._connection.exchange(
            message, timeout_ms, _LARGEST_ANSWER, self._is_own, b"", is_safe
        )
        self.is_silent = self.is_silent or not wait_s
        status, headers, answer = await exchanging
        rsc = headers["x-m2m-rsc"]
        if status >= 400 and not (wait_s and rsc == _NOTHING):
            borrow("refusal", "check", status, headers, answer, self.settings["token"])
        return rsc, answer

    def _ri(self):
        return "%s-%d" % (self._boot, self._request_id)

    # Tells whether it is the platform that has answered: in oneM2M's form, and what was asked.
    def _is_own(self, status, headers):
        self.is_silent = False  # whoever it is, the network carries answers
        return "x-m2m-rsc" in headers and headers.get("x-m2m-ri") in (None, self._ri())

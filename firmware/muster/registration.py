# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Step 9 and what follows it: the device's AE at a oneM2M platform, over HTTP with JSON
# (oneM2M TS-0004, TS-0009). Not for managing the platform: node and account are the server's work.

import asyncio
import json

from micropython import const

from . import url
from .clock import format_time, parse_time
from .compact import dumps
from .errors import DeviceError
from .http import Connection

_TIMEOUT_MS = const(10000)
_LARGEST_ANSWER = const(4096)
_KEPT_INSTANCES = const(100)

_AE = const(2)
_CONTAINER = const(3)
_INSTANCE = const(4)

# X-M2M-RSC response status codes.
_OK = "2000"
_CREATED = "2001"
_UPDATED = "2004"
_CONFLICT = "4105"
_ALREADY_REGISTERED = "4117"
_NOT_FOUND = "4004"

DATA = "data"  # the application's readings
TIMELINE = "muster"  # the device's own record


# The platform that a configuration names. settings: config["platform"].
def platform_for(settings, device_id, clock):
    tls = None
    if url.split(settings["url"])[0]:
        from .tls import Trust

        tls = Trust(settings["ca"], clock)
    return Platform(settings, device_id, tls)


class Platform:
    # settings: config["platform"]. tls: a tls.Trust for https, else None.
    def __init__(self, settings, device_id, tls=None):
        self._label = "muster:" + device_id
        self._settings = settings
        self.originator = settings["originator"]
        _, host, port, self._base = url.split(settings["url"])
        self._connection = Connection(host, port, tls, "platform_unreachable")
        self._lock = asyncio.Lock()  # application and life share the one connection
        self._request_id = 0
        # (Unix time at which the registration wants to be renewed, its whole life in seconds);
        # None if it has no end or nobody has asked yet.
        self.lease = None

    # Idempotent: a lost reply, or a reset in the middle, is healed by calling it again. A copied
    # originator is noticed by the label.
    async def register(self):
        await self._alone(self._register())

    # One thing at a time, on a connection that ends with it.
    async def _alone(self, requests):
        async with self._lock:
            try:
                await requests
            finally:
                self._connection.close()

    async def _register(self):
        body = {
            "rn": self.originator,
            "api": self._settings["api"],
            "rr": False,
            "srv": [self._settings["rvi"]],
            "lbl": [self._label],
        }
        cse = self._settings["cse"]
        rsc, answer = await self._request("POST", cse, _AE, {"m2m:ae": body})
        if rsc in (_ALREADY_REGISTERED, _CONFLICT):
            rsc, answer = await self._request("GET", self.originator)
            self._recognise(rsc, answer)
        elif rsc != _CREATED:
            raise _refused("register", rsc)
        self._note_expiry(answer)
        for name in (DATA, TIMELINE):
            await self._contain(name)

    # The AE exists already: is it this device's own?
    def _recognise(self, rsc, answer):
        try:
            found = json.loads(answer)["m2m:ae"]
            is_own = (
                rsc == _OK
                and self._label in found["lbl"]
                and found["api"] == self._settings["api"]
            )
        except (ValueError, KeyError, TypeError):
            is_own = False
        if not is_own:
            text = "%s is registered, but not by this device (RSC %s)" % (self.originator, rsc)
            raise DeviceError("platform_conflict", text)

    # A registration ends by itself: it is renewed at two thirds of its life.
    def _note_expiry(self, answer):
        try:
            found = json.loads(answer)["m2m:ae"]
            began = parse_time(found["lt"])
            life_s = parse_time(found["et"]) - began
            self.lease = (began + life_s * 2 // 3, life_s)
        except (ValueError, KeyError, TypeError):
            self.lease = None  # a platform that sets no end

    # now: Unix time. Does nothing before its time.
    async def renew(self, now):
        if self.lease and now >= self.lease[0]:
            await self._alone(self._renew(now + self.lease[1]))

    async def _renew(self, until):
        body = {"m2m:ae": {"et": format_time(until)}}
        rsc, answer = await self._request("PUT", self.originator, None, body)
        if rsc == _NOT_FOUND:
            await self._register()
            return
        if rsc != _UPDATED:
            raise _refused("renew the registration", rsc)
        self._note_expiry(answer)

    async def _contain(self, name):
        body = {"m2m:cnt": {"rn": name, "mni": _KEPT_INSTANCES}}
        rsc, _ = await self._request("POST", self.originator, _CONTAINER, body)
        if rsc not in (_CREATED, _CONFLICT):
            raise _refused("make container " + name, rsc)

    # content: what JSON can say. A platform that has forgotten the device gets it anew.
    async def publish(self, container, content):
        await self._alone(self._publish(container, content))

    async def publish_reading(self, reading):
        await self.publish(DATA, reading)

    async def _publish(self, container, content):
        text = dumps(content)
        body = {"m2m:cin": {"cnf": "application/json:0", "con": text}}
        path = "%s/%s/%s" % (self._settings["cse"], self.originator, container)
        rsc, _ = await self._request("POST", path, _INSTANCE, body)
        if rsc == _NOT_FOUND:
            await self._register()
            rsc, _ = await self._request("POST", path, _INSTANCE, body)
        if rsc != _CREATED:
            raise _refused("publish", rsc)

    # Returns (response status code, body).
    async def _request(self, method, path, kind=None, body=None):
        self._request_id += 1
        headers = {
            "X-M2M-Origin": self.originator,
            "X-M2M-RI": str(self._request_id),
            "X-M2M-RVI": self._settings["rvi"],
            "Accept": "application/json",
        }
        if self._settings.get("token"):
            headers["Authorization"] = "Bearer " + self._settings["token"]
        if body:
            headers["Content-Type"] = "application/json" + (";ty=%d" % kind if kind else "")
        status, answer_headers, answer = await self._connection.request(
            method,
            "%s/%s" % (self._base, path),
            headers,
            dumps(body).encode() if body else None,
            _TIMEOUT_MS,
            _LARGEST_ANSWER,
        )
        if status >= 500 and status != 501:
            raise DeviceError("platform_unreachable", "the platform says HTTP %d" % status)
        return answer_headers.get("x-m2m-rsc", "HTTP %d" % status), answer


def _refused(verb, rsc):
    return DeviceError("platform_refused", "cannot %s: the platform says RSC %s" % (verb, rsc))

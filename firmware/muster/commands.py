# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Commands: what others put into the device's container of that name, oldest first, each until it
# is acknowledged. Loaded when the application asks for them. The platform is asked every few
# seconds, or, where the policy says so, tells at once that there is one (channel.py).

import asyncio
import json

from micropython import const

from .compact import dumps
from .errors import DeviceError
from .modules import borrowed
from .onem2m import CREATED, NO_CONTENT, NOT_FOUND

_COMMANDS = const("commands")
_RESULTS = const("results")
_KEPT = const(16)
# Both together fit into the largest answer that is read; the platform refuses what does not.
_LARGEST = const(2048)
_CONTAINER = const(3)
_OK = const("2000")
_CONFLICT = const("4105")
_LONGEST = const(200)  # of a result's text


# Makes the iterator of session.commands().
def iterate(session, poll_s):
    return Commands(session, poll_s)


# One command. value: what JSON has made of it.
class Command:
    def __init__(self, commands, id, value):
        self._commands = commands
        self.id = id
        self.value = value

    # Says that it was carried out, with a result that JSON can say. To be awaited. Raises
    # DeviceError; then the command comes again.
    def done(self, result=None):
        return self._commands.acknowledge({"id": self.id, "ok": True, "result": result})

    # Says why it was not. To be awaited, as above.
    def failed(self, reason):
        reason = str(reason)[:_LONGEST]
        return self._commands.acknowledge({"id": self.id, "ok": False, "result": reason})


class Commands:
    # session: of the application. poll_s: seconds between two looks, unless the policy has others.
    def __init__(self, session, poll_s):
        self._session = session
        self._poll_s = poll_s
        self._made = None  # the containers are there, for this platform and registration
        self._is_told = None  # whether the platform tells of new ones; None: it was not asked yet
        self._open = None  # the id of what was handed out and not yet acknowledged

    def __aiter__(self):
        return self

    # Waits for the next command, through whatever becomes of the connection. One that was not
    # acknowledged counts as done.
    async def __anext__(self):
        while True:
            try:
                if self._open:
                    await Command(self, self._open, None).done()
                found = await self._next()
                if found:
                    return found
                look_s = self._session.look_s
                if look_s == 0 and self._is_told is not False:
                    self._is_told = await borrowed(
                        "channel interruption", "told", self._session, self._is_told
                    )
                    if self._is_told is None:
                        self._made = None  # the platform has lost it, and perhaps all
                    continue
            except DeviceError:
                look_s = None  # the life says why, and reconnects
            await asyncio.sleep_ms((look_s or self._poll_s) * 1000)

    async def _next(self):
        await self._session.online.wait()
        platform = self._session.platform
        if self._made != (platform, platform.lease):  # another one, or it has lost the device
            for name in (_COMMANDS, _RESULTS):
                await self._make(name)
            self._made = platform, platform.lease
            self._is_told = None
        rsc, answer = await self._ask("GET", self._path(_COMMANDS) + "/ol")
        if rsc == NOT_FOUND:
            return None
        if rsc != _OK:
            raise self._session.platform.refused("look for commands", rsc, answer)
        found = json.loads(answer)["m2m:cin"]
        del answer
        self._open = found["ri"]
        try:
            return Command(self, self._open, json.loads(found["con"]))
        except (ValueError, TypeError):
            await Command(self, self._open, None).failed("not JSON")
            return None

    # The result first: if the power fails in between, the command comes again. Nothing is lost.
    async def acknowledge(self, result):
        body = {"m2m:cin": {"cnf": "application/json:0", "con": dumps(result)}}
        rsc, answer = await self._ask("POST", self._path(_RESULTS) + NO_CONTENT, 4, body)
        if rsc == NOT_FOUND:
            self._made = None  # the platform has lost them, and the command with them
        elif rsc != CREATED:
            raise self._session.platform.refused("tell a result", rsc, answer)
        await self._ask("DELETE", result["id"])
        if self._open == result["id"]:
            self._open = None

    async def _make(self, name):
        platform = self._session.platform
        about = {"rn": name, "mni": _KEPT, "mbs": _LARGEST}
        if platform.settings.get("acpi"):
            about["acpi"] = platform.settings["acpi"]
        path = platform.originator + NO_CONTENT
        rsc, answer = await self._ask("POST", path, _CONTAINER, {"m2m:cnt": about})
        if rsc not in (CREATED, _CONFLICT):
            raise platform.refused("make container " + name, rsc, answer)

    def _path(self, name):
        platform = self._session.platform
        return "%s/%s/%s" % (platform.settings["cse"], platform.originator, name)

    def _ask(self, *request):
        return self._session.platform.ask(*request)

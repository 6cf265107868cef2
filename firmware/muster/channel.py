# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A polling channel (TS-0001 9.6.21): the platform answers as soon as there is a command. Its
# request waits on the one connection that the device has, and gives way to any other. Loaded by
# commands.py where the policy wants it. Not for the commands themselves: it says when to look.

import asyncio
import json
import time

from micropython import const

from . import log
from .interruption import interruptible
from .onem2m import CREATED, NO_CONTENT, NOT_FOUND

_NAME = const("calls")
_CHANNEL = const(15)
_SUBSCRIPTION = const(23)
_CHILD_CREATED = const(3)
_ID_ALONE = const(3)
_OK = const("2000")
_NOTHING = const("4008")
_WAIT_S = const(50)  # what stands between may end a connection that is silent for a minute
_PAUSE_MS = const(1000)  # between two waits, so that no platform can keep a device busy
# A look is due even so, and earlier after a wait that was cut: some platforms do not notice that
# nobody is there any more, and tell it until their time is over.
_LOOK_MS = const(300000)
_CUT_MS = const(50000)


# Gives way to another request, or to the end of the connection.
class _Wanted(Exception):
    pass


# Returns True when it is worth a look, False if the platform has no such channel, and None if it
# has lost it. is_open: it has said True before; else what came until now is still to be looked
# for. Raises DeviceError.
async def told(session, is_open):
    if not is_open:
        return await session.platform.alone(_open, session.platform)
    due = time.ticks_add(time.ticks_ms(), _LOOK_MS)
    is_cut = False
    while time.ticks_diff(due, time.ticks_ms()) > 0:
        await asyncio.sleep_ms(_PAUSE_MS)
        await session.online.wait()
        try:
            said = await _interruptible(session, session.platform)
        except _Wanted:
            if not is_cut:
                is_cut = True
                soon = time.ticks_add(time.ticks_ms(), _CUT_MS)
                due = soon if time.ticks_diff(soon, due) < 0 else due
            continue
        if said is not False:
            return said
    return True


def _interruptible(session, platform):
    def reason():
        is_wanted = platform.lock.waiting.peek() or not session.online.is_set()
        return _Wanted() if is_wanted else None

    return interruptible(platform.alone(_poll, platform), reason)


# Makes channel and subscription, unless they are there. Returns whether they are.
async def _open(platform):
    entity = platform.originator
    above = "%s/%s" % (platform.settings["cse"], entity)
    watch = {"rn": _NAME, "nu": [entity], "enc": {"net": [_CHILD_CREATED]}, "nct": _ID_ALONE}
    for path, kind, body in (
        (above, _CHANNEL, {"m2m:pch": {"rn": _NAME}}),
        (above + "/commands", _SUBSCRIPTION, {"m2m:sub": watch}),
    ):
        rsc, answer = await platform.request("POST", path + NO_CONTENT, kind, body)
        if rsc == CREATED:
            continue
        error = platform.refused("make a polling channel", rsc, answer)
        # Platforms have several codes for a second one.
        rsc, answer = await platform.request("GET", "%s/%s" % (path, _NAME))
        if rsc != _OK:
            log.warn("commands", "looked for now and then: %s" % error)
            return False
    return True


# Waits for news. Returns whether there are, or None if the channel is gone.
async def _poll(platform):
    path = "%s/%s/%s/pcu" % (platform.settings["cse"], platform.originator, _NAME)
    platform.is_listening = True
    try:
        rsc, answer = await platform.request("GET", path, None, None, _WAIT_S)
        if rsc == _NOTHING:
            return False
        if rsc == NOT_FOUND:
            return None
        if rsc != _OK:
            raise platform.refused("wait for commands", rsc, answer)
        try:
            id = json.loads(answer)["m2m:rqp"]["rqi"]
        except (ValueError, KeyError, TypeError):
            raise platform.refused("understand what is told", rsc, answer)
        response = {"rqi": id, "rsc": int(_OK), "rvi": platform.settings["rvi"]}
        await platform.request("POST", path, None, {"m2m:rsp": response})
        return True
    finally:
        platform.is_listening = False

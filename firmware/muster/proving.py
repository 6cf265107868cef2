# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 7 to 9 of a trial, as patient as its failsafe: what may pass by itself is tried again, from
# the step that failed. Loaded by trial.py, which decides what becomes of it.

import asyncio
import time

from micropython import const

from .errors import DeviceError, Interrupted
from .modules import borrow, borrowed, release
from .timeline import PROVED, REGISTER

_FAILSAFE_LOW_S = const(60)
_FAILSAFE_HIGH_S = const(900)


# Returns the time for a trial in seconds, whatever the configuration asks for.
def granted_s(failsafe_s):
    return max(_FAILSAFE_LOW_S, min(failsafe_s, _FAILSAFE_HIGH_S))


# Makes the three steps within that time. Returns the registration's lease. Raises DeviceError, the
# most telling one of all tries, or Interrupted if the button wants more than a sync. is_second:
# it has failed before, so that any press, and any bundle, ends it.
async def prove(life, config, is_second):
    failsafe_s = granted_s(config["policy"]["failsafe_s"])
    end = time.ticks_add(time.ticks_ms(), failsafe_s * 1000)
    tries: list = []  # see telling.py

    def reason():
        if life.button.wants_more() or (is_second and life.button.is_pressed()):
            return Interrupted()
        if time.ticks_diff(end, time.ticks_ms()) <= 0:
            return borrow("telling", "timed_out", tries, failsafe_s)
        return None

    steps = _prove(life, config, is_second, tries, end)
    return await borrowed("interruption", "interruptible", steps, reason)


async def _prove(life, config, is_second, tries, end):
    await borrowed("moving", "leave", life, config["version"], is_second)
    is_joined = False
    while True:
        try:
            if not is_joined or not life.wifi.is_joined():
                is_joined = False
                await borrowed("moving", "join", life, config)
                is_joined = True
            life.journal.reached(config["version"], REGISTER)  # before there is less room for it
            await asyncio.sleep_ms(0)
            platform = _platform(life, config)
            await register(config, platform, life.clock, life.timeline)
            lease = platform.lease
            del platform
            break
        except DeviceError as e:
            error = e
        platform = None
        release("platform", "tls", "http")
        await borrowed("telling", "wait", life.timeline, tries, error, end)
        if is_joined:
            # Whoever bears the name lets anybody in and answers: another place may lead further.
            is_joined = not life.wifi.doubt() and await borrowed(
                "link", "is_alive", life.wifi, config
            )
    release("platform", "tls", "http")
    _heal(life.journal, config["version"])
    life.journal.reached(config["version"], PROVED)
    return lease


def _platform(life, config):
    from .platform import platform_for

    return platform_for(config["platform"], life.identity.device_id, life.clock)


# A failure of this version, or of the search for a server meanwhile, that nobody has heard of yet:
# it is over.
def _heal(journal, version):
    if journal.last and journal.last["config"] in (0, version):
        journal.last = None


async def register(config, platform, clock, timeline):
    timeline.begin(REGISTER)
    if not clock.is_known and config["policy"]["ntp"]:
        await borrowed("ntp", "learn", config["policy"]["ntp"], clock)
    await platform.register()
    timeline.done("as %s" % platform.originator)

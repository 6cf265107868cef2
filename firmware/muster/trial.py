# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 7 to 9: leave the onboarding network, join the operational one, register; then commit, or
# come home. Loaded by lifecycle.py when there is a configuration to try.

import asyncio
import time

from micropython import const

from . import log
from .actions import FORGET
from .errors import DeviceError, Interrupted
from .modules import borrow, borrowed, release
from .timeline import JOIN, LEAVE, PROVED, REGISTER

_FAILSAFE_LOW_S = const(60)
_FAILSAFE_HIGH_S = const(900)


# A directive's configuration, tried and committed. Returns ((configuration, lease), None, None) if
# it has been, else (None, a directive to be obeyed in its place or None, what stood in the way).
# Of the configuration only what the moment needs is in RAM: flash has it.
async def attempt(life, answer):
    version = answer.config["version"]
    await asyncio.sleep_ms(0)  # here and below: flash takes a while, and others wait
    config = borrow("candidate", "keep", life.store, life.journal, answer)
    await asyncio.sleep_ms(0)
    del config["app"], config["device"]
    life.led.show("trial")
    try:
        lease = await _prove_in_time(life, config)
    except Interrupted:
        life.wifi.stop()
        life.timeline.drop()
        borrow("candidate", "drop", life.store, life.journal)
        return None, None, DeviceError("timeout", "ended by the button")
    except DeviceError as e:
        life.wifi.stop()
        if e.step is None and life.timeline.step is None:
            e.step = LEAVE  # the journal could not be written before the first step
        life.timeline.failed(e)
        life.led.failed(e.step)
        borrow("candidate", "fail", life.store, life.journal, version, e)
        life.again.wait()
        return None, None, e
    finally:
        release("platform", "onem2m", "tls", "http")
    del config["platform"]
    pending = await _confirm(life, config)
    if pending:
        borrow("candidate", "drop", life.store, life.journal)
        text = "called off: the configuration server wants to %s" % pending.action
        log.warn("trial", text)
        return None, pending, DeviceError("config_not_newer", text)
    await asyncio.sleep_ms(0)
    committed = borrow("candidate", "commit", life.store, life.journal, version)
    await asyncio.sleep_ms(0)
    return (committed, lease), None, None


# The sync before the commit: only an authenticated "forget" or another configuration prevents
# it, and is returned; anything else counts as unreachable.
async def _confirm(life, config):
    life.led.show("sync")
    try:
        answer = await life.contact.ask(config, "trial")
    except DeviceError as e:
        life.timeline.drop()
        log.warn("confirm", "not confirmed, committed all the same: %s" % e)
        return None
    if answer.action == FORGET:
        return answer
    if answer.config and answer.config["version"] != config["version"]:
        return answer
    return None


# The time for a trial, whatever the configuration asks for.
def granted_s(failsafe_s):
    return max(_FAILSAFE_LOW_S, min(failsafe_s, _FAILSAFE_HIGH_S))


# The three steps within the time that the device grants a trial, whatever the configuration says.
# Returns the registration's lease. Interrupted if the button is held for more than a sync
# meanwhile.
async def _prove_in_time(life, config):
    failsafe_s = granted_s(config["policy"]["failsafe_s"])
    end = time.ticks_add(time.ticks_ms(), failsafe_s * 1000)

    def reason():
        if life.button.wants_more():
            return Interrupted()
        if time.ticks_diff(end, time.ticks_ms()) <= 0:
            return DeviceError("timeout", "the trial took longer than %d s" % failsafe_s)
        return None

    return await borrowed("interruption", "interruptible", _prove(life, config), reason)


# The journal remembers each step before it begins.
async def _prove(life, config):
    version = config["version"]
    timeline = life.timeline
    life.journal.reached(version, LEAVE)
    await asyncio.sleep_ms(0)
    timeline.begin(LEAVE)
    await life.wifi.leave()
    life.wifi.stop()
    timeline.done("radio off")
    life.journal.reached(version, JOIN)
    await asyncio.sleep_ms(0)
    await life.wifi.join_one_of(config, timeline)
    del config["networks"]
    life.journal.reached(version, REGISTER)
    await asyncio.sleep_ms(0)
    lease = await _register_once(life, config)
    release("platform", "onem2m", "tls", "http")
    life.journal.reached(version, PROVED)
    return lease


async def _register_once(life, config):
    from .platform import platform_for

    platform = platform_for(config["platform"], life.identity.device_id, life.clock)
    await register(config, platform, life.clock, life.timeline)
    return platform.lease


async def register(config, platform, clock, timeline):
    timeline.begin(REGISTER)
    if not clock.is_known and config["policy"]["ntp"]:
        await borrowed("ntp", "learn", config["policy"]["ntp"], clock)
    await platform.register()
    timeline.done("as %s" % platform.originator)

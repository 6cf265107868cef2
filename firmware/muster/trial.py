# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 7 to 9: leave the onboarding network, join the operational one, register.

import asyncio

from micropython import const

from . import log
from .errors import DeviceError
from .modules import release
from .timeline import JOIN, LEAVE, PROVED, REGISTER
from .wifi import printable

_NETWORK_MS = const(30000)
_FAILSAFE_LOW_S = const(60)
_FAILSAFE_HIGH_S = const(900)


# The three steps within the time that the device grants a trial, whatever the configuration says.
# reached is called with the version and the number of each step before it begins. Returns the
# registration's lease.
async def prove(config, wifi, device_id, clock, timeline, reached):
    failsafe_s = max(_FAILSAFE_LOW_S, min(config["policy"]["failsafe_s"], _FAILSAFE_HIGH_S))
    steps = _prove(config, wifi, device_id, clock, timeline, reached)
    try:
        return await asyncio.wait_for_ms(steps, failsafe_s * 1000)
    except asyncio.TimeoutError:
        raise DeviceError("timeout", "the trial took longer than %d s" % failsafe_s)


async def _prove(config, wifi, device_id, clock, timeline, reached):
    version = config["version"]
    reached(version, LEAVE)
    timeline.begin(LEAVE)
    await wifi.leave()
    wifi.stop()
    timeline.done("radio off")
    reached(version, JOIN)
    await join(config, wifi, timeline)
    reached(version, REGISTER)
    from .platform import platform_for

    platform = platform_for(config["platform"], device_id, clock)
    await register(config, platform, clock, timeline)
    reached(version, PROVED)
    return platform.lease


# Joins the first of the configuration's networks that lets it in; raises the last one's failure.
async def join(config, wifi, timeline):
    timeline.begin(JOIN)
    wifi.start(config["country"])
    error = DeviceError("config_invalid", "the configuration names no network")
    for network in config["networks"]:
        ssid = network["ssid"]
        try:
            ip = network.get("ip", "dhcp")
            await wifi.join(ssid, network.get("psk"), _NETWORK_MS, ip)
            timeline.done("%s as %s" % (printable(ssid), wifi.address()[0]))
            return
        except DeviceError as e:
            log.warn("join", e)
            error = e
    raise error


async def register(config, platform, clock, timeline):
    timeline.begin(REGISTER)
    if not clock.is_known and config["policy"]["ntp"]:
        from .ntp import learn

        await learn(config["policy"]["ntp"], clock)
        del learn
        release("ntp")
    await platform.register()
    timeline.done("as %s" % platform.originator)

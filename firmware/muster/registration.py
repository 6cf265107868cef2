# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Step 9: the device's AE at a oneM2M platform, made, recognised and renewed (oneM2M TS-0004).
# Loaded when needed. Not for managing the platform: node and account are the server's work.

from micropython import const

from .modules import borrow, borrowed
from .onem2m import CREATED, DATA, NO_CONTENT, NOT_FOUND, TIMELINE

_KEPT_INSTANCES = const(100)
_AE = const(2)
_CONTAINER = const(3)

# X-M2M-RSC response status codes.
_UPDATED = const("2004")
_CONFLICT = const("4105")
_ALREADY_REGISTERED = const("4117")


# Registers the device. Idempotent: a lost reply, or a reset in the middle, is healed by calling it
# again. A copied originator is noticed by the label. Raises DeviceError.
async def register(platform):
    acpi = platform.settings.get("acpi")
    rsc, answer = await platform.request("POST", platform.settings["cse"], _AE, _ae(platform))
    if rsc in (_ALREADY_REGISTERED, _CONFLICT):
        rsc, answer = await platform.request("GET", platform.originator)
        borrow("lease", "recognise", platform, rsc, answer)
        if acpi:
            await borrowed("governing", "govern", platform, platform.originator, "m2m:ae")
    elif rsc != CREATED:
        raise platform.refused("register", rsc, answer)
    platform.lease = borrow("lease", "of", answer)
    path = platform.originator + NO_CONTENT
    for name in (DATA, TIMELINE):
        rsc, answer = await platform.request("POST", path, _CONTAINER, _container(platform, name))
        if rsc == _CONFLICT:
            if acpi:
                own = "%s/%s/%s" % (platform.settings["cse"], platform.originator, name)
                await borrowed("governing", "govern", platform, own, "m2m:cnt")
        elif rsc != CREATED:
            raise platform.refused("make container " + name, rsc, answer)


# Bodies are written where no coroutine holds them while it waits.
def _ae(platform):
    settings = platform.settings
    entity = {
        "rn": platform.originator,
        "api": settings["api"],
        "rr": False,
        "srv": [settings["rvi"]],
        "lbl": [platform.label],
    }
    return {"m2m:ae": _governed(platform, entity)}


def _container(platform, name):
    return {"m2m:cnt": _governed(platform, {"rn": name, "mni": _KEPT_INSTANCES})}


# Names the policies that say who else may read. On each container, too: not every platform has
# them inherited.
def _governed(platform, attributes):
    if platform.settings.get("acpi"):
        attributes["acpi"] = platform.settings["acpi"]
    return attributes


async def renew(platform, until):
    body = {"m2m:ae": {"et": borrow("onem2m_time", "format_time", until)}}
    rsc, answer = await platform.request("PUT", platform.originator, None, body)
    if rsc == NOT_FOUND:
        await register(platform)
    elif rsc == _UPDATED:
        platform.lease = borrow("lease", "of", answer)
    else:
        raise platform.refused("renew the registration", rsc, answer)

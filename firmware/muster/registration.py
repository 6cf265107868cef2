# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Step 9: the device's AE at a oneM2M platform, made, recognised and renewed (oneM2M TS-0004).
# Loaded when needed. Not for managing the platform: node and account are the server's work.

from micropython import const

from .modules import borrow
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
    rsc, answer = await platform.request("POST", platform.settings["cse"], _AE, _ae(platform))
    if rsc in (_ALREADY_REGISTERED, _CONFLICT):
        rsc, answer = await platform.request("GET", platform.originator)
        borrow("lease", "recognise", platform, rsc, answer)
    elif rsc != CREATED:
        raise platform.refused("register", rsc, answer)
    platform.lease = borrow("lease", "of", answer)
    path = platform.originator + NO_CONTENT
    for name in (DATA, TIMELINE):
        rsc, answer = await platform.request("POST", path, _CONTAINER, _container(name))
        if rsc not in (CREATED, _CONFLICT):
            raise platform.refused("make container " + name, rsc, answer)


# Bodies are written where no coroutine holds them while it waits.
def _ae(platform):
    settings = platform.settings
    return {
        "m2m:ae": {
            "rn": platform.originator,
            "api": settings["api"],
            "rr": False,
            "srv": [settings["rvi"]],
            "lbl": [platform.label],
        }
    }


def _container(name):
    return {"m2m:cnt": {"rn": name, "mni": _KEPT_INSTANCES}}


async def renew(platform, until):
    body = {"m2m:ae": {"et": borrow("onem2m_time", "format_time", until)}}
    rsc, answer = await platform.request("PUT", platform.originator, None, body)
    if rsc == NOT_FOUND:
        await register(platform)
    elif rsc == _UPDATED:
        platform.lease = borrow("lease", "of", answer)
    else:
        raise platform.refused("renew the registration", rsc, answer)

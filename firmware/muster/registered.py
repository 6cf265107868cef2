# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a registered device asks of its platform: to take what it publishes, and to keep it. Each is
# to be awaited.

import gc

from micropython import const

from .compact import dumps
from .modules import borrowed
from .onem2m import CREATED, DATA, NO_CONTENT, NOT_FOUND

_INSTANCE = const(4)
_SHORTEST_S = const(60)  # between two renewals, whatever the platform answers


# Publishes text, compact JSON. A platform that has forgotten the device gets it anew. Raises
# DeviceError.
def publish(platform, container, text):
    return platform.alone(_publish, platform, container, text)


def publish_reading(platform, reading):
    return publish(platform, DATA, dumps(reading))


# Renews the registration when its time has come. now: Unix time. Raises DeviceError.
async def renew(platform, now):
    if platform.lease and now >= platform.lease[0]:
        await platform.alone(_renew, platform, now + platform.lease[1])
        if platform.lease:  # its clock may be behind, or its leases hardly last
            renew_at, life_s = platform.lease
            platform.lease = max(renew_at, now + _SHORTEST_S), life_s


def _renew(platform, until):
    gc.collect()
    return borrowed("registration", "renew", platform, until)


async def _publish(platform, container, text):
    rsc, answer = await _instance(platform, container, text)
    if rsc == NOT_FOUND:
        gc.collect()
        await borrowed("registration", "register", platform)
        rsc, answer = await _instance(platform, container, text)
    if rsc != CREATED:
        raise platform.refused("publish", rsc, answer)


def _instance(platform, container, text):
    body = {"m2m:cin": {"cnf": "application/json:0", "con": text}}
    parts = platform.settings["cse"], platform.originator, container, NO_CONTENT
    return platform.request("POST", "%s/%s/%s%s" % parts, _INSTANCE, body)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's half of step 9, driven by test_platform_answers.py: a line of JSON on stdin names
# the platform and what to do with it; prints the outcomes as one line of JSON.

import asyncio
import json
import sys
import time


class _Clock:
    floor = 0
    is_known = True

    def now(self):
        return time.time()


async def _one(platform, deed):
    from muster import registered
    from muster.errors import DeviceError

    try:
        if deed == "register":
            await platform.register()
        elif deed == "renew":
            platform.lease = 0, 86400
            await registered.renew(platform, 1800000000)
        elif deed == "timeline":
            await registered.publish(platform, "muster", "{}")
        else:
            await registered.publish_reading(platform, {"name": "x", "value": 1})
        return {"lease": platform.lease}
    except DeviceError as e:
        return {"code": e.code, "detail": e.detail, "is_final": e.is_final, "retry_s": e.retry_s}


async def _all(job):
    from muster.platform import platform_for

    settings = {
        "url": job["url"],
        "ca": job.get("ca"),
        "cse": "cse-in",
        "originator": "Cabc",
        "api": "Nx",
        "rvi": "4",
        "token": "a-token-of-the-device",
    }
    platform = platform_for(settings, "PRESS-4", _Clock())
    outcomes = []
    for deed in job["deeds"]:
        outcomes.append(await _one(platform, deed))
    return outcomes


sys.path.insert(0, sys.argv[1])
print(json.dumps(asyncio.run(_all(json.loads(sys.stdin.readline())))))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 7 and 8 of a trial: from the onboarding network to the operational one. Loaded by
# proving.py for each of them.

import asyncio

from .modules import borrow
from .timeline import JOIN, LEAVE


# The journal remembers each step before it begins. Of a second turn, which may be one of many, it
# only remembers how far that came.
async def leave(life, version, is_second):
    if not is_second:
        life.journal.reached(version, LEAVE)
        await asyncio.sleep_ms(0)  # flash takes a while, and others wait
    life.timeline.begin(LEAVE)
    await life.wifi.leave()
    life.wifi.stop()
    life.timeline.done("radio off")


async def join(life, config):
    life.journal.reached(config["version"], JOIN)
    await asyncio.sleep_ms(0)
    if "networks" not in config:
        kept = borrow("candidate", "kept", life.store, life.journal, config["version"])
        config["networks"] = kept["networks"]
    if config["policy"].get("local_wifi"):
        borrow("local_wifi", "add_for_trial", life, config)
    await life.wifi.join_one_of(config, life.timeline)
    del config["networks"]  # room for the registration

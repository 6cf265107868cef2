# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The application: what this device is for. Change it, copy it to the board, reset.

import asyncio
import gc

import muster


async def app(session):
    interval_s = session.config["app"].get("interval_s", 60)
    while True:
        await session.publish("heap_free", gc.mem_free())
        await asyncio.sleep(interval_s)


muster.run(app)

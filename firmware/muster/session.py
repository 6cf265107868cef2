# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the application sees of Muster.

import asyncio

from micropython import const

from .errors import DeviceError

_PATIENCE_MS = const(60000)


class Session:
    def __init__(self):
        self.config = {}  # {"app": the user's own JSON, "device": {"name", "tags"}}
        self._online = asyncio.Event()

    # Waits while Muster reconnects underneath, for a minute at most; then, and when the platform
    # refuses, raises DeviceError. The value is anything that JSON can say.
    async def publish(self, name, value):
        try:
            await asyncio.wait_for_ms(self._online.wait(), _PATIENCE_MS)
        except asyncio.TimeoutError:
            raise DeviceError("platform_unreachable", "not connected for a minute")
        await self._platform.publish_reading({"name": name, "value": value})

    # Lifecycle's side of it: called before the session is first set online.
    def use(self, config, platform):
        self.config = {"app": config["app"], "device": config["device"]}
        self._platform = platform

    def set_online(self, is_online):
        if is_online:
            self._online.set()
        else:
            self._online.clear()

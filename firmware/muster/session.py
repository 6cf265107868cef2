# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the application sees of Muster.

import asyncio

from micropython import const

from .errors import DeviceError
from .modules import borrow, borrowed
from .registered import publish_reading

_PATIENCE_MS = const(60000)
_AT_ONCE = const(8)  # readings; the life itself waits behind them


class Session:
    # life: lifecycle.py's, for the moment of falling asleep.
    def __init__(self, life):
        self._life = life
        self.config = {}  # {"app": the user's own JSON, "device": {"name", "tags"}}
        self.online = asyncio.Event()
        self.waiting = 0
        self.is_asleep = False

    # Publishes a value, which is anything that JSON can say. Waits while Muster reconnects
    # underneath, for a minute at most. Raises DeviceError then, when the platform refuses, and if
    # more than 8 are on their way at once.
    async def publish(self, name, value):
        if self.waiting >= _AT_ONCE:
            text = "%d readings are on their way already; publish one after the other"
            raise DeviceError("platform_unreachable", text % _AT_ONCE)
        self.waiting += 1
        try:
            if not self.online.is_set():
                await self._connected()
            await publish_reading(self.platform, {"name": name, "value": value})
        finally:
            self.waiting -= 1

    # Iterates over what the device is told to do: `async for command in session.commands()`. The
    # platform is looked at every poll_s seconds, unless policy.commands_s says otherwise.
    def commands(self, poll_s=10):
        return borrow("commands", "iterate", self, poll_s)

    # Ends what is under way, then sleeps deeply: the next thing the board does is to start. On a
    # board that cannot, sleeps lightly and returns. Raises ValueError if nobody can sleep so long.
    # To be awaited.
    def sleep(self, seconds):
        return borrowed("sleeping", "sleep", self, self._life, seconds)

    async def _connected(self):
        try:
            await asyncio.wait_for_ms(self.online.wait(), _PATIENCE_MS)
        except asyncio.TimeoutError:
            raise DeviceError("platform_unreachable", "not connected for a minute")

    # Lifecycle's side of it: called before the session is first set online.
    def use(self, config, platform):
        self.config = {"app": config["app"], "device": config["device"]}
        self.look_s = config["policy"].get("commands_s")
        self.platform = platform

    def set_online(self, is_online):
        if is_online:
            self.online.set()
        else:
            self.online.clear()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Runs the owner's coroutine, on a committed configuration only, and again if it fails.

import asyncio
import sys
import time

from micropython import const

from . import log
from .backoff import Backoff
from .session import Session

_STOP_MS = const(5000)
_POLL_MS = const(50)
_LONG_RUN_MS = const(300000)  # who has run so long begins anew with short waits


class Application:
    # app: async def app(session). life: lifecycle.py's.
    def __init__(self, app, life):
        self._app = app
        self.session = Session(life)
        self._settings: dict = {}
        self._task = None

    # Starts it, once; it keeps running while Muster reconnects or re-syncs underneath. Settings
    # that have changed start it anew.
    async def run(self, config, platform):
        if self._task and config["app"] != self._settings:
            log.info("app", "starts anew with its new settings")
            await self.stop()
        self._settings = config["app"]
        self.session.use(config, platform)
        if self._task is None:
            self._task = asyncio.create_task(self._supervise())

    def set_online(self, is_online):
        self.session.set_online(is_online)

    # Stops it. Raises RuntimeError if the owner's code swallows its cancellation: only a restart
    # ends it then.
    async def stop(self):
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        for _ in range(_STOP_MS // _POLL_MS):
            if task.done():
                return
            await asyncio.sleep_ms(_POLL_MS)
        raise RuntimeError("the application swallows its cancellation")

    async def _supervise(self):
        backoff = Backoff()
        while True:
            began = time.ticks_ms()
            try:
                await self._app(self.session)
                log.info("app", "ended")
                return
            # The owner's code may raise anything; what it has cancelled itself is no request to
            # stop, but a defect like others.
            except (Exception, asyncio.CancelledError) as e:  # noqa: BLE001
                if self._task is None:  # stopped
                    return
                if time.ticks_diff(time.ticks_ms(), began) > _LONG_RUN_MS:
                    backoff.reset()
                delay_ms = backoff.next_ms()
                _tell(e, delay_ms)
            await asyncio.sleep_ms(delay_ms)


# Tells of a failure. If memory was wanting, there may be none to tell it with: the exception
# itself, or what outlives the application, may hold it.
def _tell(e, delay_ms):
    try:
        sys.print_exception(e)
        log.error("app", "failed, starts again in %d ms" % delay_ms)
    except MemoryError:  # these words need none
        print("M", time.ticks_ms(), "E app no memory to show a", type(e).__name__)

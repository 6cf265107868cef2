# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Runs the owner's coroutine, on a committed configuration only, and again if it fails.

import asyncio
import sys

from . import log
from .backoff import Backoff


class Application:
    # app: async def app(session)
    def __init__(self, app, session):
        self._app = app
        self._session = session
        self._task = None

    # Once; it keeps running while Muster reconnects or re-syncs underneath.
    def start(self):
        if self._task is None:
            self._task = asyncio.create_task(self._supervise())

    async def stop(self):
        task, self._task = self._task, None
        if task:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

    async def _supervise(self):
        backoff = Backoff()
        while True:
            try:
                await self._app(self._session)
                log.info("app", "ended")
                return
            except Exception as e:  # noqa: BLE001 - the owner's code may raise anything
                sys.print_exception(e)
                delay_ms = backoff.next_ms()
                log.error("app", "failed, starts again in %d ms" % delay_ms)
                await asyncio.sleep_ms(delay_ms)

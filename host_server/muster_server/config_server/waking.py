# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Wakes the chores when another process says that it has jobs which it cannot do itself.

Whoever does jobs looks for more when he has been told; what nobody tells is found by who keeps
house, some seconds later.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from muster_server.errors import Unavailable
from muster_server.store.config import ConfigStore
from muster_server.store.notices import Ear
from muster_server.threads import Threads

log = logging.getLogger(__name__)

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_AGAIN_S = 0.2
_MOST_TIMES = 25


class Waking:
    """Hears other processes for as long as the server runs."""

    def __init__(
        self,
        store: ConfigStore,
        run_told: Callable[[], Awaitable[bool]],
    ) -> None:
        """`run_told` does what others tell of; False if it is to be asked again."""
        self._store = store
        self._run_told = run_told

    async def run(self) -> None:
        """Go on until cancelled. Without an ear, as on SQLite, there is nothing to do."""
        wait_s, threads = _FIRST_WAIT_S, Threads(1)
        while True:
            try:
                ear = await threads.run(self._store.ear)
                if ear is None:
                    return
                wait_s = _FIRST_WAIT_S
                try:
                    await self._hear(ear)
                finally:
                    ear.close()
            except Unavailable:  # the store has said why
                pass
            except Exception:
                # The last catch-all of this task: it must live as long as the server.
                log.exception("other processes are not heard for %d s", wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _hear(self, ear: Ear) -> None:
        """Wake until the connection is lost, which raises Unavailable."""
        await self._wake()  # for what was said while nobody heard
        while True:
            await _readable(ear.fileno())
            if ear.heard():
                await self._wake()

    async def _wake(self) -> None:
        """Run the jobs that another process has; they come to whoever is at jobs now."""
        self._store.note_jobs()
        for _ in range(_MOST_TIMES):
            with contextlib.suppress(Unavailable):
                if await self._run_told():
                    return
            await asyncio.sleep(_AGAIN_S)


async def _readable(descriptor: int) -> None:
    """Return when there is something to read; nobody looks there before the next call. The loop
    would come back at once, again and again, for what is said while jobs are done.
    """
    loop, said = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, said.set)
    try:
        await said.wait()
    finally:
        loop.remove_reader(descriptor)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The moment at which jobs are begun: at once if they end an account. To tell a platform of a
device waits a little, and is done together with what other devices, or the same, leave meanwhile.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from muster_server.config_server.jobs import Jobs
from muster_server.errors import Unavailable
from muster_server.lane import Runner

SOON_S = 0.3


class Later:
    """Has jobs done after requests that may have left some."""

    def __init__(
        self,
        jobs: Jobs,
        threads: Runner,
        is_stopping: Callable[[], bool],
        soon_s: float = SOON_S,
    ) -> None:
        self._jobs = jobs
        self._threads = threads
        self._is_stopping = is_stopping
        self._soon_s = soon_s
        self._waiting: asyncio.Task[None] | None = None

    @property
    def is_wanted(self) -> bool:
        """Tell whether something came up that nobody sees to yet."""
        is_seen_to = self._waiting is not None and not self._waiting.done()
        return self._jobs.has_news and (self._jobs.has_ends or not is_seen_to)

    async def begin(self) -> None:
        """See to it that what came up is done. Returns when that which does not wait has been."""
        if not self.is_wanted:  # else a thread would look in vain after each sync
            return
        if self._jobs.has_ends:
            await self._run()
        else:
            self._waiting = asyncio.get_running_loop().create_task(self._soon())

    async def close(self) -> None:
        """Leave the rest to the next start."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)

    async def _soon(self) -> None:
        await asyncio.sleep(self._soon_s)
        while self._jobs.has_news and not self._is_stopping():
            await self._run()
            if not self._jobs.has_more:
                await asyncio.sleep(self._soon_s)

    async def _run(self) -> None:
        with suppress(Unavailable):  # the store has said why; who keeps house tries again
            await self._threads.run(self._jobs.run_due)

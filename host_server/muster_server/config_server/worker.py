# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The worker that goes on with tasks and roll-outs: one of all processes on a database.

Each of its transactions begins by renewing its lease in it. So whoever has lost the lease, to a
clock that jumped or a machine that slept, does nothing any more.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from muster_server.errors import Unavailable
from muster_server.store.config import ConfigStore, Records
from muster_server.threads import Threads

log = logging.getLogger(__name__)

_LEASE = "worker"
_LEASE_S = 30.0
_PAUSE_S = 0.01  # between two steps: devices report meanwhile
_LOOK_S = 1.0
_AFTER_FAILURE_S = 15.0
_IDLE_EVERY_S = 60.0

IsMine = Callable[[Records], bool]


class Work(Protocol):
    """Something that goes on by itself, a step at a time."""

    def has_work(self, records: Records) -> bool:
        """Tell whether there may be something to do."""

    def step(self, is_mine: IsMine) -> bool:
        """Do a little; whether there was something to do. Each transaction asks `is_mine`."""

    def end_idle(self, is_mine: IsMine) -> None:
        """Forget what nobody goes on with."""


class Worker:
    """Goes on with work while it has the lease. `name` is this worker's alone."""

    def __init__(
        self,
        store: ConfigStore,
        work: Sequence[Work],
        clock: Callable[[], float],
        name: str | None = None,
    ) -> None:
        self._store = store
        self._work = work
        self._clock = clock
        self._name = name or secrets.token_hex(8)
        self._idle_at = 0.0

    def step(self) -> bool:
        """Do a little of each; whether there was something to do for this worker."""
        now = self._clock()
        if abs(now - self._idle_at) >= _IDLE_EVERY_S:
            self._idle_at = now
            for one in self._work:
                one.end_idle(self.is_mine)
        with self._store.reading() as records:
            wanted = [one for one in self._work if one.has_work(records)]
        if not wanted:
            return False
        with self._store.transaction() as records:
            if not self.is_mine(records):
                return False
        done = [one.step(self.is_mine) for one in wanted]  # each of them, whatever the first says
        return any(done)

    def is_mine(self, records: Records) -> bool:
        """Renew the lease in this transaction; whether this worker has it."""
        return records.leases.take(_LEASE, self._name, self._clock(), _LEASE_S)

    async def run(self, threads: Threads) -> None:
        """Work until cancelled."""
        while True:
            pause_s = _LOOK_S
            try:
                if await threads.run(self.step):
                    pause_s = _PAUSE_S
            except Unavailable as error:
                pause_s = float(error.retry_s or _AFTER_FAILURE_S)
                log.warning("the worker goes on in %d s: %s", pause_s, error)
            except Exception:
                # The last catch-all of this task: it must live as long as the server.
                log.exception("the worker failed; it goes on in %d s", _AFTER_FAILURE_S)
                pause_s = _AFTER_FAILURE_S
            await asyncio.sleep(pause_s)

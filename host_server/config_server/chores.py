# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does at the platforms what a sync has made necessary, and tries again until it has worked."""

import logging
import threading
from collections.abc import Callable

from host_server.config_server.platform_adapter import PlatformAdapter
from host_server.errors import ServiceUnreachable
from host_server.store.config import Chore, ConfigStore

log = logging.getLogger(__name__)

_AT_ONCE = 20
_FIRST_RETRY_S = 5.0
_LONGEST_RETRY_S = 3600.0


class Chores:
    """Runs what is due, one at a time. A chore may run twice, so each can be repeated."""

    def __init__(
        self,
        store: ConfigStore,
        adapter_for: Callable[[str], PlatformAdapter],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._adapter_for = adapter_for
        self._clock = clock
        self._lock = threading.Lock()

    def run_due(self) -> None:
        """Do what is due now. Returns at once if another thread is at it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            with self._store.transaction() as records:
                due = records.due_chores(self._clock(), _AT_ONCE)
            for chore in due:
                self._run(chore)
        finally:
            self._lock.release()

    def _run(self, chore: Chore) -> None:
        try:
            self._do(chore)
        except ServiceUnreachable as error:
            wait_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2 ** min(chore.tries, 20))
            log.warning("%s is put off by %d s: %s", chore.deed, wait_s, error)
            with self._store.transaction() as records:
                records.postpone_chore(chore, self._clock() + wait_s)
            return
        with self._store.transaction() as records:
            records.finish_chore(chore.id)

    def _do(self, chore: Chore) -> None:
        about = chore.arguments
        adapter = self._adapter_for(about["url"])
        if chore.deed == "revoke_token":
            adapter.revoke_token(about["originator"], about["token_id"])
        elif chore.deed == "close_account":
            adapter.close_account(about["originator"])
        elif chore.deed == "describe":
            adapter.describe(about["originator"], about["device_id"], about["facts"])
        else:
            log.error("no chore is called %s; a newer release may have left it", chore.deed)

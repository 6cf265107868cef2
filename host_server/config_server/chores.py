# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does at the platforms what a sync has made necessary, and tries again until it has worked."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from host_server.config_server.platform_adapter import PlatformAdapter, Platforms
from host_server.errors import NoAnswer, ServiceUnreachable
from host_server.store.claims import Chore
from host_server.store.config import ConfigStore, Records
from host_server.store.history import Moment

_DONE = {"revoke_token": "token_ended", "close_account": "account_ended"}

log = logging.getLogger(__name__)

_AT_ONCE = 20
_FIRST_RETRY_S = 5.0
_LONGEST_RETRY_S = 3600.0


class Chores:
    """Runs what is due, one at a time. A chore may run twice, so each can be repeated."""

    def __init__(
        self,
        store: ConfigStore,
        platforms: Platforms,
        clock: Callable[[], float],
        stopping: threading.Event,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._lock = threading.Lock()
        self._stopping = stopping

    def run_due(self) -> None:
        """Do what is due now. Returns at once if another thread is at it, and soon if the server
        stops: a platform that hangs is asked one thing, whatever is to be done there.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            with self._store.transaction() as records:
                due = records.due_chores(self._clock(), _AT_ONCE)
            silent: dict[str, NoAnswer] = {}  # by URL
            for chore in due:
                if self._stopping.is_set():
                    return
                self._run(chore, silent)
        finally:
            self._lock.release()

    def _run(self, chore: Chore, silent: dict[str, NoAnswer]) -> None:
        url = chore.arguments["url"]
        try:
            if url in silent:
                raise silent[url]
            self._do(chore)
        except ServiceUnreachable as error:
            if isinstance(error, NoAnswer):
                silent[url] = error
            self._put_off(chore, error)
            return
        with self._store.transaction() as records:
            records.finish_chore(chore.id)
            self._note(records, chore, _DONE.get(chore.deed), "ok", "")

    def _put_off(self, chore: Chore, error: ServiceUnreachable) -> None:
        wait_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2 ** min(chore.tries, 20))
        log.warning("%s is put off by %d s: %s", chore.deed, wait_s, error)
        with self._store.transaction() as records:
            records.postpone_chore(chore, self._clock() + wait_s)
            what = f"{chore.deed}_put_off"
            self._note(records, chore, what, "platform_unreachable", str(error))

    def _note(
        self, records: Records, chore: Chore, what: str | None, code: str, detail: str
    ) -> None:
        about = chore.arguments
        # One that an earlier release left does not say whose it is.
        if what is not None and "owner" in about:
            moment = Moment("config", self._clock(), what, code=code, detail=detail)
            records.history.note(about["device_id"], about["owner"], moment)

    def _do(self, chore: Chore) -> None:
        about = chore.arguments
        if chore.deed == "revoke_token":
            self._keeper(about).revoke_token(about["originator"], about["token_id"])
        elif chore.deed == "close_account":
            self._keeper(about).close_account(about["originator"])
        elif chore.deed == "describe":
            adapter = self._platforms.adapter_for(about["url"])
            adapter.describe(about["originator"], about["device_id"], about["facts"])
        else:
            log.error("no chore is called %s; a newer release may have left it", chore.deed)

    def _keeper(self, about: dict[str, Any]) -> PlatformAdapter:
        url, has_token = about["url"], about.get("has_token", False)
        if has_token and not self._platforms.has_accounts(url):
            log.warning(
                "an account that was made for %s is ended where the platform is now; if there is "
                "another platform at the former address, end it there by hand: DELETE "
                "/accounts/%s",
                url,
                about["originator"],
            )
        return self._platforms.keeper_of(url, has_token=has_token)

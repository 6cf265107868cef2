# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does at the platforms what a sync has made necessary, and tries again until it has worked."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from muster_server.config_server.field_configuration import FieldConfiguration
from muster_server.config_server.platform_adapter import PlatformAdapter, Platforms
from muster_server.config_server.readers import policy_for
from muster_server.errors import NoAnswer, ServiceUnreachable
from muster_server.store.claims import DESCRIBING, Job
from muster_server.store.config import ConfigStore, Records
from muster_server.store.history import Moment

_DONE = {"revoke_token": "token_ended", "close_account": "account_ended"}

log = logging.getLogger(__name__)

_AT_ONCE = 20
_PATIENCE_S = 1.0  # with another process
_FIRST_RETRY_S = 5.0
_LONGEST_RETRY_S = 3600.0
_SAID_S, _MOST_SAID = 600.0, 4096
# Of all that is known of a device, its platform is told these.
_TOLD_FACTS = ("model", "board", "micropython", "firmware")


class Jobs:
    """Runs what is due, one at a time. A job may run twice, so each can be repeated."""

    def __init__(
        self,
        store: ConfigStore,
        platforms: Platforms,
        clock: Callable[[], float],
        stopping: threading.Event,
        monotonic: Callable[[], float] = time.monotonic,
        fields: FieldConfiguration | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._lock = threading.Lock()
        self._stopping = stopping
        self._seen: int | None = None  # of the store's count, when this looked last
        self._monotonic = monotonic
        self._fields = fields
        # (URL, originator) -> what the platform was told last, and when
        self._described: OrderedDict[tuple[str, str], tuple[dict[str, Any], float]] = OrderedDict()

    @property
    def has_news(self) -> bool:
        """Tell whether something came up that nobody has looked at. What was put off is found by
        who keeps house.
        """
        return self._seen != self._store.jobs_added

    def run_due(self) -> None:
        """Do what is due now. Returns at once if another thread is at it, after a moment if
        another process is, and soon if the server stops: a platform that hangs is asked one thing,
        whatever is to be done there.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            with self._store.alone("jobs", _PATIENCE_S) as is_mine:
                if is_mine:
                    self._run_all()
            if not is_mine:
                self._store.call_others()  # whoever is at it goes on with ours
        finally:
            self._lock.release()

    def run_told(self) -> bool:
        """Do what another process has told of, unless one is at it that has heard it as well.
        False if this one is, which may have looked before.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            with self._store.alone("jobs") as is_mine:
                if is_mine:
                    self._run_all()
        finally:
            self._lock.release()
        return True

    def _run_all(self) -> None:
        silent: dict[str, NoAnswer] = {}  # by URL
        while self._run_some(silent) or self._came_meanwhile():
            pass

    def _came_meanwhile(self) -> bool:
        """Tell whether something came up since this looked last, and is to be done now."""
        return self._seen is not None and self.has_news and not self._stopping.is_set()

    def _run_some(self, silent: dict[str, NoAnswer]) -> bool:
        """Do some of what is due; whether something came up meanwhile that may go before the rest:
        nobody's account stays open while others are described.
        """
        seen = self._seen = self._store.jobs_added
        with self._store.reading() as records:
            due = records.due_jobs(self._clock(), _AT_ONCE, _LONGEST_RETRY_S)
        if len(due) == _AT_ONCE:
            self._seen = None  # there are more
        for job in due:
            if self._stopping.is_set():
                return False
            if job.deed in DESCRIBING and seen != self._store.jobs_added:
                return True
            self._run(job, silent)
        return False

    def _run(self, job: Job, silent: dict[str, NoAnswer]) -> None:
        url = job.arguments["url"]
        try:
            if url in silent:
                raise silent[url]
            self._do(job)
        except ServiceUnreachable as error:
            if isinstance(error, NoAnswer):
                silent[url] = error
            self._put_off(job, error)
            return
        with self._store.transaction(job.arguments.get("device_id")) as records:
            records.finish_job(job.id)
            self._note(records, job, _DONE.get(job.deed), "ok", "")

    def _put_off(self, job: Job, error: ServiceUnreachable) -> None:
        wait_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2 ** min(job.tries, 20))
        log.warning("%s is put off by %d s: %s", job.deed, wait_s, error)
        with self._store.transaction(job.arguments.get("device_id")) as records:
            records.postpone_job(job, self._clock() + wait_s)
            what = f"{job.deed}_put_off"
            self._note(records, job, what, "platform_unreachable", str(error))

    def _note(self, records: Records, job: Job, what: str | None, code: str, detail: str) -> None:
        about = job.arguments
        # One that an earlier release left does not say whose it is.
        if what is not None and "owner" in about:
            moment = Moment("config", self._clock(), what, code=code, detail=detail)
            records.history.note(about["device_id"], about["owner"], moment)

    def _do(self, job: Job) -> None:
        about = job.arguments
        if job.deed == "revoke_token":
            self._keeper(about).revoke_token(about["originator"], about["token_id"])
        elif job.deed == "close_account":
            self._keeper(about).close_account(about["originator"])
            if self._fields is not None and "device_id" in about:
                self._fields.forget(about["url"], about["originator"], about["device_id"])
        elif job.deed == "objects":
            if self._fields is not None:
                self._fields.settle(about["claim_id"], about["url"])
        elif job.deed == "describe":
            self._describe(about)
        else:
            log.error("no job is called %s; a newer release may have left it", job.deed)

    def _describe(self, about: dict[str, Any]) -> None:
        """Tell the platform of the device, unless it was told the same a moment ago: when a
        version is handed out, and again when it is proved.
        """
        told = (about["url"], about["originator"])
        said = self._described.pop(told, None)
        now = self._monotonic()
        same = {name: about["facts"].get(name) for name in _TOLD_FACTS}
        same |= {"device_id": about["device_id"], "owner": about.get("owner")}
        if said is None or said[0] != same or now - said[1] > _SAID_S:
            adapter = self._platforms.adapter_for(about["url"])
            adapter.describe(about["originator"], about["device_id"], about["facts"])
            if "owner" in about and self._platforms.has_accounts(about["url"]):
                policy = policy_for(about["owner"])
                self._platforms.home().name_in_policy(policy, [about["originator"]])
            said = (same, now)
        self._described[told] = said
        if len(self._described) > _MOST_SAID:
            self._described.popitem(last=False)

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

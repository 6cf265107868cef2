# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does at the platforms what a sync has made necessary, and tries again until it has worked."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from muster_server.config_server.field_configuration import FieldConfiguration
from muster_server.config_server.first_objects import Wanted
from muster_server.config_server.joined_jobs import parted, wanted_by
from muster_server.config_server.platform_adapter import PlatformAdapter, Platforms
from muster_server.config_server.readers import policy_for
from muster_server.errors import NoAnswer, ServiceUnreachable
from muster_server.store.claims import DESCRIBING, Job
from muster_server.store.config import ConfigStore, Records
from muster_server.store.history import Moment

_DONE = {"revoke_token": "token_ended", "close_account": "account_ended"}

log = logging.getLogger(__name__)

_AT_ONCE = 96
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
        # Of the store's counts, when this looked last
        self._seen: int | None = None
        self._ends_seen = 0
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

    @property
    def has_ends(self) -> bool:
        """Tell whether there is among it what ends an account or a token, and does not wait."""
        return self._ends_seen != self._store.ends_added

    @property
    def has_more(self) -> bool:
        """Tell whether there was more due than is done at once."""
        return self._seen is None

    def run_due(self) -> None:
        """Do what is due now. Returns at once if another thread is at it, after a moment if
        another process is, and soon if the server stops: a platform that hangs is asked one thing,
        whatever is to be done there.
        """
        while (is_mine := self._is_run(_PATIENCE_S)) and self._came_meanwhile():
            pass
        if is_mine is False:
            self._store.call_others()  # whoever is at it goes on with ours

    def run_told(self) -> bool:
        """Do what another process has told of, unless one is at it that has heard it as well.
        False if this one is, which may have looked before.
        """
        return self._is_run(0.0) is not None

    def _is_run(self, patience_s: float) -> bool | None:
        """Do what is due; False if another process is at it, and None if another thread is."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            with self._store.alone("jobs", patience_s) as is_mine:
                if is_mine:
                    self._run_all()
            return is_mine
        finally:
            self._lock.release()

    def _run_all(self) -> None:
        silent: dict[str, NoAnswer] = {}  # by URL
        while self._run_some(silent) or self._came_meanwhile():
            pass

    def _came_meanwhile(self) -> bool:
        """Tell whether something came up since this looked last that does not wait."""
        return self._seen is not None and self.has_ends and not self._stopping.is_set()

    def _run_some(self, silent: dict[str, NoAnswer]) -> bool:
        """Do some of what is due; whether something came up meanwhile that may go before the rest:
        nobody's account stays open while others are described.
        """
        self._ends_seen, self._seen = self._store.ends_added, self._store.jobs_added
        with self._store.reading() as records:
            due = records.jobs.due(self._clock(), _AT_ONCE, _LONGEST_RETRY_S)
        if len(due) == _AT_ONCE:
            self._seen = None  # there are more
        alone: list[Job] = due
        joined: list[list[Job]] = []
        if self._fields is not None:
            alone, joined = parted(due, self._platforms.has_accounts)
        if not self._run_each(alone, silent):
            return not self._stopping.is_set()
        for some in joined:
            if self._has_to_end(some[0]):
                return not self._stopping.is_set()
            done = self._done_together(some, silent)
            if not self._run_each([job for job in some if job.id not in done], silent):
                return not self._stopping.is_set()
        return False

    def _run_each(self, jobs: list[Job], silent: dict[str, NoAnswer]) -> bool:
        """Do one after another; False if something goes before the rest."""
        for job in jobs:
            if self._has_to_end(job):
                return False
            self._run(job, silent)
        return True

    def _done_together(self, jobs: list[Job], silent: dict[str, NoAnswer]) -> set[int]:
        """The ids of those that were done in one request to our own platform, and are finished."""
        url = jobs[0].arguments["url"]
        if url in silent or self._fields is None:
            return set()
        wanted = wanted_by(jobs)
        known = {each.device_id for each in wanted if self._was_told(url, each)}
        new = [each for each in wanted if each.device_id not in known]
        try:
            made = self._fields.make_first(url, new) if new else []
        except NoAnswer as error:
            silent[url] = error
            return set()
        done = {job for each in made for job in each.jobs}
        told = {job for each in wanted if each.device_id in known for job in each.jobs}
        if told:
            with self._store.transaction(*known) as records:
                records.jobs.finish(told)
        for each in made:
            self._remember(url, each)
        return done | told

    def _has_to_end(self, job: Job) -> bool:
        """Tell whether something goes before this job, or the server stops."""
        return self._stopping.is_set() or (job.deed in DESCRIBING and self.has_ends)

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
            records.jobs.finish([job.id])
            self._note(records, job, _DONE.get(job.deed), "ok", "")

    def _put_off(self, job: Job, error: ServiceUnreachable) -> None:
        wait_s = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2 ** min(job.tries, 20))
        log.warning("%s is put off by %d s: %s", job.deed, wait_s, error)
        with self._store.transaction(job.arguments.get("device_id")) as records:
            records.jobs.postpone(job, self._clock() + wait_s)
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
                self._fields.settle(about["claim_id"], about["url"], about.get("device_id"))
        elif job.deed == "describe":
            self._describe(about)
        else:
            log.error("no job is called %s; a newer release may have left it", job.deed)

    def _describe(self, about: dict[str, Any]) -> None:
        """Tell the platform of the device, unless it was told the same a moment ago: when a
        version is handed out, and again when it is proved.
        """
        url, originator, owner = about["url"], about["originator"], about.get("owner")
        what = _of_facts(about["device_id"], owner, about["facts"])
        if not self._said_lately(url, originator, what):
            adapter = self._platforms.adapter_for(url)
            adapter.describe(originator, about["device_id"], about["facts"])
            if owner is not None and self._platforms.has_accounts(url):
                self._platforms.home().name_in_policy(policy_for(owner), [originator])
            self._note_said(url, originator, what)

    def _was_told(self, url: str, wanted: Wanted) -> bool:
        """Tell whether the platform was told a moment ago all that is wanted."""
        if wanted.claim_id is not None or wanted.originator is None:
            return False
        what = _of_facts(wanted.device_id, wanted.owner, wanted.facts or {})
        return self._said_lately(url, wanted.originator, what)

    def _remember(self, url: str, wanted: Wanted) -> None:
        if wanted.originator is not None:
            what = _of_facts(wanted.device_id, wanted.owner, wanted.facts or {})
            self._note_said(url, wanted.originator, what)

    def _said_lately(self, url: str, originator: str, what: dict[str, Any]) -> bool:
        said = self._described.get((url, originator))
        return said is not None and said[0] == what and self._monotonic() - said[1] <= _SAID_S

    def _note_said(self, url: str, originator: str, what: dict[str, Any]) -> None:
        self._described[url, originator] = (what, self._monotonic())
        self._described.move_to_end((url, originator))
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


def _of_facts(device_id: str, owner: str | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a platform is told of a device that has told these."""
    same = {name: facts.get(name) for name in _TOLD_FACTS}
    return same | {"device_id": device_id, "owner": owner}

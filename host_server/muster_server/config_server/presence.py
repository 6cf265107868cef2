# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The presence of devices at their platforms, as far as those tell.

A device that was given a configuration may run on it without ever coming back to this server. So
its registration ends only when the platform has said that the device never came.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from muster_server.config_server.bundles import CARRIED_LIFE_S
from muster_server.config_server.device_view import existing
from muster_server.config_server.platform_adapter import Platforms
from muster_server.config_server.platform_view import PlatformView
from muster_server.config_server.proof import (
    REGISTER,
    Accounts,
    account_of,
    accounts_given,
    at_work,
    described,
    settle_claim,
)
from muster_server.config_server.recognition import is_expired
from muster_server.config_server.rivals import end_claim
from muster_server.config_server.standing import TRIAL_S
from muster_server.errors import NoAnswer, ServiceUnreachable
from muster_server.store.bundles import Bundle
from muster_server.store.claims import Claim, Version, living_until, with_step
from muster_server.store.config import ConfigStore, Records

# A platform that is down, or asked by a page that renews itself, is not asked each time.
_ASK_AGAIN_S = 2.0
_MOST_ASKED = 1024
_MOST_ENDED = 16  # at once, for each is a question to a platform
_MOST_LOOKED_AT = 500  # claims that have expired, in one transaction
_PUT_OFF_S = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    at: float
    view: PlatformView | None  # None: it did not answer


@dataclass(frozen=True)
class _Awaited:
    """The configuration that a device was given, and has not been seen with."""

    account: tuple[str, str]
    has_token: bool
    version: int
    since: float
    bundle: Bundle | None = field(compare=False)  # None: given by a sync


class Presence:
    """Looks for devices at their platforms. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        platforms: Platforms,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        stopping: threading.Event,
        expiry: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._clock = clock
        self._expiry = expiry or clock
        self._monotonic = monotonic
        self._stopping = stopping
        self._asked: dict[tuple[str, str], _Asked] = {}

    def look(self, device_id: str, owner: str) -> None:
        """See whether a device that was given a configuration has registered at its platform."""
        with self._store.reading() as records:
            awaited = _awaited(records, existing(records, device_id, owner), self._clock())
        if awaited is None:
            return
        view = self._view(*awaited.account, has_token=awaited.has_token)
        if view is None:
            return
        with self._store.transaction() as records:
            now = self._clock()
            claim = existing(records, device_id, owner)
            # Meanwhile a receipt or another bundle may have come.
            still = _awaited(records, claim, now)
            at = _sighting(claim, still, view) if still == awaited and still else None
            if still is not None and at is not None:
                _settle(records, claim, still.bundle, at, now)

    def end_expired(self) -> None:
        """End the claims that nobody proved in time. One whose device may have a configuration
        ends only when its platform has answered that no device came with it.

        Returns soon if the server stops.
        """
        with self._store.reading() as records:
            if not records.has_expired(self._expiry()):
                return
        with self._store.transaction() as records:
            now = self._expiry()
            expired = records.expired_claims(now, _MOST_LOOKED_AT)
            given = {claim.id: accounts_given(records, claim) for claim in expired}
            for claim in expired:
                if not given[claim.id]:
                    end_claim(records, claim, now)
        silent: set[str] = set()  # URLs: a platform that hangs is asked once
        for claim in [claim for claim in expired if given[claim.id]][:_MOST_ENDED]:
            if not self._stopping.is_set():
                self._end(claim.id, given[claim.id], silent)

    def _end(self, claim_id: str, accounts: Accounts, silent: set[str]) -> None:
        views = [
            self.view_now(*account, has_token=has_token, silent=silent)
            for account, has_token in accounts.items()
        ]
        seen = [view.first_at_home for view in views if view is not None]
        at = min((first for first in seen if first is not None), default=None)
        with self._store.transaction() as records:
            now = self._expiry()
            claim = records.claim(claim_id)
            if claim is None or not is_expired(claim, now):
                return  # it was released, or its device came, meanwhile
            if at is not None:
                awaited = _awaited(records, claim, now)
                _settle(records, claim, awaited.bundle if awaited else None, at, now)
            elif None in views or accounts_given(records, claim) != accounts:
                records.put_claim(living_until(claim, now + _PUT_OFF_S))
            elif not self._is_told(accounts) and now < (end := _carried_until(records, claim)):
                records.put_claim(living_until(claim, end))
            else:
                end_claim(records, claim, now)

    def _is_told(self, accounts: Accounts) -> bool:
        """Tell whether nothing seen at these platforms means that nothing was there."""
        return all(
            has_token or self._platforms.has_accounts(url)
            for (url, _), has_token in accounts.items()
        )

    def _view(self, url: str, originator: str, *, has_token: bool) -> PlatformView | None:
        """Return what the platform answered a moment ago, or answers now."""
        asked = self._asked.get((url, originator))
        if asked is not None and self._monotonic() - asked.at < _ASK_AGAIN_S:
            return asked.view
        return self.view_now(url, originator, has_token=has_token)

    def view_now(
        self, url: str, originator: str, *, has_token: bool, silent: set[str] | None = None
    ) -> PlatformView | None:
        """Return what the platform saw of the originator; None if it does not answer.

        Platforms in `silent` are not asked, and one that says nothing at all is added to them.
        """
        if silent is not None and url in silent:
            return None
        now = self._monotonic()
        try:
            view = self._platforms.keeper_of(url, has_token=has_token).seen(originator)
        except ServiceUnreachable as error:
            log.warning("what a platform saw of a device is not known: %s", error)
            view = None
            if silent is not None and isinstance(error, NoAnswer):
                silent.add(url)
        while len(self._asked) >= _MOST_ASKED:
            self._asked.pop(next(iter(self._asked)), None)
        self._asked[(url, originator)] = _Asked(now, view)
        return view


def _carried_until(records: Records, claim: Claim) -> float:
    """Until when the device counts as at work if nobody can tell: as with a bundle."""
    given = [version.handed_out_at or 0.0 for version in records.versions_of(claim.id)]
    return max(given) + CARRIED_LIFE_S


def _awaited(records: Records, claim: Claim, now: float) -> _Awaited | None:
    """The newest that the device was given, if it may be seen with it and was not yet."""
    for bundle in reversed(records.bundles.of(claim.id)):
        version = records.version(claim.id, bundle.version)
        # Else the platform would show the device as it has been for long.
        is_telling = claim.version == 0 or bundle.outcome == "ok"
        if bundle.handed_out_at is None or version is None or not is_telling:
            continue
        if bundle.seen_at is not None:
            return None
        return _awaited_with(version, bundle.handed_out_at, bundle)
    if claim.version > 0 or claim.status == "registered":
        return None
    for version in reversed(records.versions_of(claim.id)):
        if version.handed_out_at is not None and now - version.handed_out_at > TRIAL_S:
            return _awaited_with(version, version.handed_out_at, None)
    return None


def _awaited_with(version: Version, since: float, bundle: Bundle | None) -> _Awaited:
    has_token = version.token_id is not None
    return _Awaited(account_of(version), has_token, version.number, since, bundle)


def _sighting(claim: Claim, awaited: _Awaited, view: PlatformView) -> float | None:
    """Return when the device was first seen with what it was given; None if unknown."""
    if claim.state == "unproved":
        return view.first_at_home  # only what this claim's device was given has its account
    if awaited.bundle is not None and awaited.bundle.outcome == "ok":
        return view.at_home_since(awaited.since)
    # A device that was there before goes on being seen, whatever it was given since.
    first = view.first_at_home
    return first if first is not None and first >= awaited.since else None


def _settle(records: Records, claim: Claim, bundle: Bundle | None, at: float, now: float) -> None:
    """The device is at work since `at`. Its account was sealed in what it was given, so this
    proves the claim as a receipt does; but not which version it runs.
    """
    if bundle is not None and at >= (bundle.handed_out_at or 0.0):
        records.bundles.put(replace(bundle, seen_at=at))
    by = "bundle" if bundle is not None else None
    claim = with_step(claim, REGISTER, "done", "ok", None, at, by)
    if claim.last is not None:
        claim = at_work(claim, at)  # what had failed has healed
    if claim.state != "proved":
        claim = settle_claim(records, claim, now)
    versions = records.versions_of(claim.id)
    if versions:
        records.add_job("describe", now, **described(claim, versions[-1]))
    seen_at = max(at, claim.seen_at or 0.0)
    records.put_claim(replace(claim, status="registered", seen_at=seen_at))

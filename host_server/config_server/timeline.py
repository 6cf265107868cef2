# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The flight recorder: what device, servers and platform saw, in one table by time."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from host_server.config_server.device_timeline import note_timeline
from host_server.config_server.device_view import existing
from host_server.config_server.platform_adapter import Platforms
from host_server.config_server.platform_view import PlatformView
from host_server.config_server.proof import settle_claim
from host_server.config_server.refusals import Refusals
from host_server.errors import NotFound, ServiceUnreachable
from host_server.moments import SUCCESSES
from host_server.store.bundles import Bundle
from host_server.store.claims import Claim, with_step
from host_server.store.config import ConfigStore, Records
from host_server.store.history import Moment

REGISTER = 9
# A platform that is down, or asked by a page that renews itself, is not asked each time.
_ASK_AGAIN_S = 2.0
_MOST_LOOKS = 16  # at once, each a question to a platform
_MOST_ASKED = 1024

# What somebody else can bring about.
_WEAK = ("refused", "window_closed")
# Wrong typing, and what is only done later, keep no device from its platform.
_NO_CAUSE = (
    "receipt_refused",
    "describe_put_off",
    "revoke_token_put_off",
    "close_account_put_off",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Asked:
    at: float
    view: PlatformView | None  # None: it did not answer


class TimelineService:
    """Joins what was seen of a device. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        platforms: Platforms,
        refusals: Refusals,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._refusals = refusals
        self._clock = clock
        self._monotonic = monotonic
        self._asked: dict[tuple[str, str], _Asked] = {}

    def joined(self, device_id: str, owner: str) -> dict[str, Any]:
        """Everything that is remembered of the device, with the first cause of its last failure.

        `platform` is false if the platform could not be asked: then its part is missing.
        """
        self._refusals.write_down()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            url = _platform_url(records, claim)
        view = self._asked_now(url, claim.originator) if url else PlatformView()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            if view is not None and view.timeline:
                at = view.timeline_at or self._clock()
                note_timeline(records, claim, view.timeline, at, {})
            moments = records.history.of(claim.device_id, claim.owner)
        moments += view.moments if view is not None else ()
        # Sorting is stable: what happened at the same moment stays as it was written down.
        moments.sort(key=lambda moment: moment.at)
        cause = first_cause(moments)
        return {
            "device_id": claim.device_id,
            "platform": view is not None,
            "entries": [
                {**asdict(moment), "is_first_cause": n == cause}
                for n, moment in enumerate(moments)
            ],
        }

    def look(self, device_id: str, owner: str) -> None:
        """See whether a device that was given a bundle has registered at its platform."""
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            awaited = _awaited(records, claim)
            url = _platform_url(records, claim)
        if awaited is None or url is None:
            return
        view = self._view(url, claim.originator)
        at = view.registered_since(awaited.handed_out_at or 0.0) if view is not None else None
        if at is None:
            return
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            bundle = _awaited(records, claim)
            # Meanwhile a receipt or another bundle may have come.
            if bundle is None or bundle.digest != awaited.digest:
                return
            records.bundles.put(replace(bundle, seen_at=at))
            claim = with_step(claim, REGISTER, "done", "ok", None, at, "bundle")
            if claim.state != "proved":
                # The token was sealed in the bundle: this proves what a receipt does.
                claim = settle_claim(records, claim, self._clock())
            seen_at = max(at, claim.seen_at or 0.0)
            records.put_claim(replace(claim, status="registered", seen_at=seen_at))

    def look_at_expired(self) -> None:
        """`look` for claims that end now, so that a device which nobody asked about is kept."""
        with self._store.transaction() as records:
            expired = records.expired_claims(self._clock())[:_MOST_LOOKS]
        for claim in expired:
            with contextlib.suppress(NotFound):  # it has been released meanwhile
                self.look(claim.device_id, claim.owner)

    def _view(self, url: str, originator: str) -> PlatformView | None:
        """What it answered a moment ago, or answers now."""
        asked = self._asked.get((url, originator))
        if asked is not None and self._monotonic() - asked.at < _ASK_AGAIN_S:
            return asked.view
        return self._asked_now(url, originator)

    def _asked_now(self, url: str, originator: str) -> PlatformView | None:
        now = self._monotonic()
        try:
            view = self._platforms.adapter_for(url).seen(originator)
        except ServiceUnreachable as error:
            log.warning("the platform's part of a timeline is missing: %s", error)
            view = None
        while len(self._asked) >= _MOST_ASKED:
            self._asked.pop(next(iter(self._asked)), None)
        self._asked[(url, originator)] = _Asked(now, view)
        return view


def first_cause(moments: list[Moment]) -> int | None:
    """The first failure of the last onboarding that had one; None if nothing ever failed.

    An onboarding ends where it succeeded. What strangers can bring about counts only if there is
    nothing else.
    """
    for is_counted in (_is_strong_failure, _is_failure):
        failures = [n for n, moment in enumerate(moments) if is_counted(moment)]
        if failures:
            before = [n for n in range(failures[-1]) if moments[n].what in SUCCESSES]
            begin = before[-1] if before else 0
            return next(n for n in failures if n >= begin)
    return None


def _is_failure(moment: Moment) -> bool:
    return moment.code != "ok" and moment.what not in _NO_CAUSE


def _is_strong_failure(moment: Moment) -> bool:
    is_weak = moment.source != "platform" and moment.what in _WEAK
    return _is_failure(moment) and not is_weak


def _awaited(records: Records, claim: Claim) -> Bundle | None:
    """The newest bundle, if its device may be seen at the platform and was not yet."""
    bundles = records.bundles.of(claim.id)
    if not bundles or bundles[-1].handed_out_at is None or bundles[-1].seen_at is not None:
        return None
    if claim.version > 0 and bundles[-1].outcome != "ok":
        return None  # the platform would show the device as it has been for long
    return bundles[-1]


def _platform_url(records: Records, claim: Claim) -> str | None:
    """Where the newest version says the platform is; None if there was none yet."""
    versions = records.versions_of(claim.id)
    url: str | None = versions[-1].document["platform"]["url"] if versions else None
    return url

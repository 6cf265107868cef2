# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The flight recorder: what device, servers and platform saw, in one table by time."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from muster_server.config_server.device_timeline import note_timeline
from muster_server.config_server.device_view import existing
from muster_server.config_server.platform_view import PlatformView
from muster_server.config_server.presence import Presence
from muster_server.config_server.proof import account_of
from muster_server.config_server.refusals import Refusals
from muster_server.store.config import ConfigStore
from muster_server.store.history import REFUSED, WINDOW_CLOSED, Moment
from muster_server.wording import SUCCESSES

# What somebody else can bring about.
_WEAK = (REFUSED, WINDOW_CLOSED)
# Wrong typing, and what is only done later, keep no device from its platform.
_NO_CAUSE = (
    "receipt_refused",
    "describe_put_off",
    "objects_put_off",
    "revoke_token_put_off",
    "close_account_put_off",
)


class TimelineService:
    """Joins what was seen of a device. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        presence: Presence,
        refusals: Refusals,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._presence = presence
        self._refusals = refusals
        self._clock = clock

    def joined(self, device_id: str, owner: str) -> dict[str, Any]:
        """Everything that is remembered of the device, with the first cause of its last failure.

        `platform` is false if the platform could not be asked: then its part is missing.
        """
        self._refusals.write_down()
        with self._store.reading() as records:
            versions = records.versions_of(existing(records, device_id, owner).id)
        view: PlatformView | None = PlatformView()
        if versions:
            has_token = versions[-1].token_id is not None
            view = self._presence.view_now(*account_of(versions[-1]), has_token=has_token)
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

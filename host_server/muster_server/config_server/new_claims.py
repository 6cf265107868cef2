# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Claims that are made: how all begin, and the short way of those before which nothing was known.

Most devices are claimed once: nothing of them has to be looked for, and nothing is changed. In the
lane, with an account that is written down already, the platform can be asked before there is a
claim, and then all of it is one transaction. What is not as plain goes the way of every claim, as
if nothing had been done: whoever gets the account then gets another token for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from muster_server.config_server.device_view import DeviceViews
from muster_server.config_server.platform_adapter import new_originator
from muster_server.config_server.versions import Versions, new_adoption
from muster_server.errors import Invalid
from muster_server.frozen import replaced
from muster_server.label import Label
from muster_server.ordered_ids import ordered_id
from muster_server.store.claims import CLAIM_LIFE_S, Claim, Version, new_nonce, step_entry
from muster_server.store.config import ConfigStore, Records
from muster_server.store.history import Moment
from muster_server.store.profiles import InForce
from muster_server.store.reserved_accounts import Reserved

REGISTER, INITIALISE = 1, 2
_ID_BYTES = 10  # of a claim


@dataclass(frozen=True)
class Wish:
    """A claim as it is asked for, whatever there is of its device."""

    label: Label
    profile: str
    name: str
    owner: str
    now: float
    end: float | None = None  # of the window; None: with the claim
    portal_ms: int | None = None  # that step 1 took
    started: float = 0.0  # by the monotonic clock, if step 2 follows


def new_claim_id() -> str:
    """Return one that nobody has: 80 random bits are in it."""
    return ordered_id(_ID_BYTES)


def new_claim(claim_id: str, wish: Wish, originator: str | None = None) -> Claim:
    """A claim that nobody has proved yet, with an open window; None: an originator of its own."""
    return Claim(
        id=claim_id,
        device_id=wish.label.device_id,
        owner=wish.owner,
        secret=wish.label.secret,
        profile=wish.profile,
        name=wish.name,
        state="unproved",
        nonce=new_nonce(),
        originator=originator or new_originator(),
        created_at=wish.now,
        expires_at=wish.now + CLAIM_LIFE_S,
        window_open=True,
        window_until=wish.end,
        version=0,
        highest=0,
        status="prepared",
        progress={},
        last=None,
        facts=None,
        seen_at=None,
        adoption=new_adoption(),
    )


class FirstClaims:
    """Claims devices of which nothing is known. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        versions: Versions,
        views: DeviceViews,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._versions = versions
        self._views = views
        self._clock = clock
        self._monotonic = monotonic

    def shown(self, wish: Wish) -> dict[str, Any] | None:
        """Steps 1 and 2, and what is shown of the device then; None if nothing was done, for it is
        not as plain as that. To be called outside of transactions.

        Raises ServiceUnreachable if the platform gave no token, and the HostError of a database
        that does not take what came of it: nothing was done then, either.
        """
        reserved, shown = self._versions.reservations.lent(), None
        if reserved is None:
            return None
        try:
            profile = self._profile(wish)
            if profile is not None:
                claim = new_claim(new_claim_id(), wish, reserved.originator)
                version = self._versions.first(claim, profile, reserved.token_id)
                if version is not None:
                    shown = self._kept(wish, claim, version, reserved, profile)
        except Invalid:
            return None  # it is told as that of every claim
        finally:
            if shown is None:
                self._versions.reservations.give_back(reserved)
        return shown

    def _profile(self, wish: Wish) -> InForce | None:
        """The profile; None if there is none, or if something is known of the device."""
        with self._store.reading() as records:
            found = records.profiles.in_force(wish.profile)
            if found is None or not _may_begin(records, wish, found):
                return None
        return found

    def _kept(
        self, wish: Wish, claim: Claim, version: Version, reserved: Reserved, profile: InForce
    ) -> dict[str, Any] | None:
        now, ms = self._clock(), round((self._monotonic() - wish.started) * 1000)
        progress = {
            str(REGISTER): step_entry("done", "ok", wish.portal_ms, wish.now),
            str(INITIALISE): step_entry("done", "ok", ms, now),
        }
        claim = replaced(claim, highest=version.number, progress=progress)
        claimed = moment_of_claim(wish)
        prepared = Moment(
            "config", now, "prepared", INITIALISE, ms=ms, detail=f"version {version.number}"
        )
        with self._store.transaction(claim.device_id) as records:
            # Once more, for somebody may have claimed it while the platform was asked.
            if not _may_begin(records, wish, profile):
                return None
            records.reserved.use(reserved)
            records.put_claim(claim)
            records.put_version(version)
            records.firsts.note(claim, claimed, prepared)
        return self._views.of_first(claim, version)


def moment_of_claim(wish: Wish) -> Moment:
    """The moment of step 1, as the device's history tells it."""
    detail = f'profile "{wish.profile}"'
    return Moment("portal", wish.now, "claimed", REGISTER, ms=wish.portal_ms, detail=detail)


def _may_begin(records: Records, wish: Wish, profile: InForce) -> bool:
    return records.firsts.may_begin(wish.label.device_id, wish.owner, wish.profile, profile.number)

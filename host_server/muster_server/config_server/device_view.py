# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device as its owner sees it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from muster_server import ssids
from muster_server.config_server import list_places, window
from muster_server.config_server.counted import Counted
from muster_server.config_server.recognition import is_expired
from muster_server.config_server.standing import Known, standing
from muster_server.config_server.versions import Versions
from muster_server.errors import HostError, NotFound
from muster_server.giving_way import give_way
from muster_server.store.bundles import Bundle
from muster_server.store.claims import DISPLACED, Claim, Version
from muster_server.store.config import ConfigStore, Records
from muster_server.store.device_list import Fit

_SLICE = 101  # devices in one transaction
_BETWEEN = 8  # of them, a ms or two, devices' own requests go first
_MOST_LOOKED_AT = 300  # in one answer, however few of them fit


@dataclass(frozen=True)
class Wanted:
    """Filters and paging of a list of devices; None: any."""

    after: str = ""
    limit: int = 100
    state: str | None = None
    attempt: str | None = None  # an outcome code, or "under_way"
    waiting_for: str | None = None
    profile: str | None = None
    silent_since: float | None = None  # not heard of after this
    search: str | None = None  # a part of its id or name
    group: str | None = None
    tag: str | None = None
    sort: str = "id"
    behind: bool = False

    @property
    def fit(self) -> Fit:
        """The part of it that the records can tell."""
        about = self.state, self.profile, self.attempt, self.silent_since, self.search
        return Fit(*about, self.group, self.tag)

    def fits_claim(self, claim: Claim) -> bool:
        """Tell whether the claim that is shown of a device is one that was asked for."""
        if self.search is not None:
            wanted = self.search.casefold()
            if wanted not in claim.device_id.casefold() and wanted not in claim.name.casefold():
                return False
        is_profile = self.profile is None or claim.profile == self.profile
        return is_profile and (self.state is None or claim.status == self.state)

    def fits(self, entry: dict[str, Any]) -> bool:
        """Tell whether the entry of a list is one that was asked for, as its claim is."""
        attempt = entry["attempt"] or {"code": "none"}
        if self.attempt is not None and self.attempt != (attempt["code"] or attempt["state"]):
            return False
        if self.waiting_for is not None and entry["waiting_for"]["who"] != self.waiting_for:
            return False
        heard = entry["last_heard"]
        since = self.silent_since
        return since is None or heard is None or heard["at"] <= since


def existing(records: Records, device_id: str, owner: str) -> Claim:
    """The owner's claim of this device; NotFound if there is none."""
    claim = chosen(records, device_id, owner)
    if claim is None:
        raise NotFound(f"you have no device {device_id}")
    return claim


def chosen(records: Records, device_id: str, owner: str) -> Claim | None:
    """The claim to show: the proved one, else the one that was heard of last, else the newest."""
    claims = [claim for claim in records.claims_of(device_id) if may_be_shown(claim, owner)]
    if not claims:
        return None
    return max(
        claims,
        key=lambda c: (c.state == "proved", c.state != DISPLACED, c.seen_at or 0.0, c.created_at),
    )


def may_be_shown(claim: Claim, owner: str) -> bool:
    """Tell whether the owner may be shown their device by this claim."""
    return claim.owner == owner and claim.state != "released"


class DeviceViews:
    """Shows devices to their owners. Knows neither HTTP nor SQL."""

    def __init__(self, store: ConfigStore, versions: Versions, clock: Callable[[], float]) -> None:
        self._store = store
        self._versions = versions
        self._clock = clock
        self.counted = Counted(store, clock)

    def one(self, device_id: str, owner: str) -> dict[str, Any]:
        """Return everything that its owner may know about a device; no secret is in it."""
        with self._store.reading() as records:
            claim = existing(records, device_id, owner)
            return full(self._known(records, claim), records.events_of(claim))

    def of_new(self, records: Records, claim: Claim, version: Version) -> dict[str, Any]:
        """Return the same of a claim that has just been made, with its first version, and whose
        device nobody has heard of.
        """
        now = self._clock()
        about = claim.owner, claim.device_id
        known = Known(
            claim=claim,
            contact=None,
            knock=None,
            versions=[version],
            bundles=[],
            is_window_open=window.is_open(records, claim, now),
            is_outdated=False,
            now=now,
            group=records.groups.group_of(*about),
            tags=records.groups.tags_of(*about),
        )
        return full(known, records.events_of(claim))

    def of_first(self, claim: Claim, version: Version) -> dict[str, Any]:
        """Return the same of a claim before which nothing was known of the device."""
        now = self._clock()
        is_open = window.is_invited(claim, now)
        return full(Known(claim, None, None, [version], [], is_open, False, now), [])

    def entry(self, device_id: str, owner: str) -> dict[str, Any]:
        """Return what a list shows of the device. Raises NotFound."""
        with self._store.reading() as records:
            return short(self._known(records, existing(records, device_id, owner)))

    def counts(self, owner: str) -> dict[str, Any]:
        """Return how many devices the owner has: all, by state, profile, group and tag."""
        found = self.counted.of(owner)
        names = ("devices", "states", "profiles", "groups", "tags")
        return {name: getattr(found, name) for name in names}

    def groups(self, owner: str) -> dict[str, Any]:
        """Return the owner's groups and tags, with the number of devices in each."""
        found = self.counted.of(owner)
        return {"groups": found.groups, "tags": found.tags}

    def page(self, owner: str, wanted: Wanted) -> dict[str, Any]:
        """Return some of the owner's devices, in the order that is wanted, one short entry each.

        `next` is where to go on, None if there are no more. Raises Invalid for a place that is
        none.
        """
        found: list[tuple[str, dict[str, Any]]] = []
        after: str | None = wanted.after
        looked_at, limit = 0, wanted.limit
        while looked_at < _MOST_LOOKED_AT and len(found) <= limit:
            # One more than is shown, to know whether there is more.
            most = min(_SLICE, limit + 1 - len(found))
            places, stop = self._slice(owner, wanted, after, most, found)
            looked_at += len(places)
            if len(places) < most:
                after = stop
                break
            after = places[-1]
        rest = found[limit - 1][0] if len(found) > limit else after
        return {"devices": [entry for _, entry in found[:limit]], "next": rest}

    def _slice(
        self,
        owner: str,
        wanted: Wanted,
        after: str | None,
        most: int,
        found: list[tuple[str, dict[str, Any]]],
    ) -> tuple[list[str], str | None]:
        """Few at a time, so that no list keeps the database from devices that sync; with the
        place where the search stopped before its end, if it did.
        """
        with self._store.reading() as records:
            fit = wanted.fit
            if wanted.behind and wanted.profile is not None:
                fit = replace(fit, behind=records.profiles.effect(wanted.profile))
            places, stop = list_places.after(records, owner, wanted.sort, after, most, fit)
            for n, place in enumerate(places):
                if n % _BETWEEN == 0:
                    give_way()
                claim = chosen(records, place.device_id, owner)
                if claim is None or not wanted.fits_claim(claim) or not place.is_of(claim):
                    continue
                entry = short(self._known(records, claim))
                if wanted.fits(entry):
                    found.append((place.text, entry))
        return [place.text for place in places], None if stop is None else stop.text

    def _known(self, records: Records, claim: Claim) -> Known:
        now = self._clock()
        versions = records.versions_of(claim.id)
        contact, knock = records.contacts.newest(claim.id)
        return Known(
            claim=claim,
            contact=contact,
            knock=knock,
            versions=versions,
            bundles=records.bundles.of(claim.id),
            is_window_open=window.is_open(records, claim, now),
            is_outdated=bool(versions) and self._is_outdated(records, claim, versions[-1]),
            now=now,
            group=records.groups.group_of(claim.owner, claim.device_id),
            tags=records.groups.tags_of(claim.owner, claim.device_id),
        )

    def _is_outdated(self, records: Records, claim: Claim, newest: Version) -> bool:
        try:
            return not self._versions.is_current(records, claim, newest)
        except HostError:  # the profile is wrong: nothing newer can be made of it
            return False


def short(known: Known) -> dict[str, Any]:
    """Return what a list shows of a device."""
    claim, versions = known.claim, known.versions
    newest = versions[-1].document if versions else None
    return {
        "device_id": claim.device_id,
        "name": claim.name,
        "profile": claim.profile,
        "state": claim.status,
        "claim": claim.state,
        "version": claim.version,
        "seen_at": claim.seen_at,
        **standing(known),
        "networks": [ssids.name_of(n) for n in newest["networks"]] if newest else [],
        "platform": newest["platform"]["url"] if newest else None,
        "group": known.group,
        "tags": known.tags,
    }


def full(known: Known, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that its owner may know about a device; no secret is in it."""
    claim, versions, bundles, now = known.claim, known.versions, known.bundles, known.now
    pending = {"state": "pending", "code": None, "ms": None, "at": None}
    return {
        **short(known),
        "registered_at": claim.created_at,
        "expires_at": claim.expires_at,
        "is_expired": is_expired(claim, now),
        "window": {"open": known.is_window_open, "until": window.ends_at(claim)},
        "issued_version": versions[-1].number if versions else claim.highest,
        "steps": [
            {"step": step, **(claim.progress.get(str(step)) or pending)} for step in range(1, 10)
        ],
        "bundle": bundle_shown(bundles[-1], bundles, claim, now) if bundles else None,
        "last": claim.last,
        "device": claim.facts,
        "account": {"originator": claim.originator},
        "events": events,
    }


def bundle_shown(
    bundle: Bundle, all_of_claim: list[Bundle], claim: Claim, now: float
) -> dict[str, Any]:
    """Return the progress of a bundle, without the bundle's text."""
    return {
        "version": bundle.version,
        "state": bundle_state(bundle, all_of_claim, claim, now),
        "sha256": bundle.digest.hex(),
        "made_at": bundle.made_at,
        "expires_at": bundle.expires_at,
        "handed_out_at": bundle.handed_out_at,
        "receipt_at": bundle.receipt_at,
        "outcome": bundle.outcome,
        "seen_at": bundle.seen_at,
    }


def bundle_state(bundle: Bundle, all_of_claim: list[Bundle], claim: Claim, now: float) -> str:
    """One of `prepared`, `handed_out`, `applied`, `failed`, `superseded`, `expired`."""
    is_newest = bundle.version == all_of_claim[-1].version
    if bundle.outcome == "ok" or claim.version == bundle.version:
        return "applied"
    if not is_newest or claim.version > bundle.version:
        return "superseded"
    if bundle.outcome is not None:
        return "failed"
    if bundle.is_expired(now):
        return "expired"
    return "prepared" if bundle.handed_out_at is None else "handed_out"

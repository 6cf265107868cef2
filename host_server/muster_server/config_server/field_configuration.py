# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Field device configuration (TS-0022): devices' objects at platforms, kept in both directions.

What the device runs is told there. What somebody changes there, whom the platform's policies let,
becomes the device's next version; what became of it is told there again.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from muster_server.config_server import device_changes as changes
from muster_server.config_server.cse import Cse
from muster_server.config_server.device_objects import CHANGEABLE, SECRET, Object, objects_of
from muster_server.config_server.first_objects import Wanted, firsts_of, made
from muster_server.config_server.object_keepers import (
    CONTAINERS,
    NODES,
    About,
    ContainerKeeper,
    Keeper,
    NodeKeeper,
    NoNodes,
    Seen,
)
from muster_server.config_server.object_places import Place, Places
from muster_server.config_server.versions import Versions
from muster_server.errors import HostError, Invalid, ServiceUnreachable
from muster_server.lane import held
from muster_server.store.claims import ENDED, Claim, Version
from muster_server.store.config import ConfigStore, Records
from muster_server.store.device_changes import (
    REFUSED,
    REPLACED,
    RUNS,
    WANTED,
    Change,
    Told,
)

_ALL_S = 20.0  # for one device
_LOOK_EVERY_S = 10.0  # at the same device, unless something calls
_LOOKS = 10  # in one round, at one platform
_CALLS_EVERY_S = 1.0
_PAGE, _PAGES = 100, 10  # of what changed since the last round
_OVERLAP_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 15.0, 3600.0  # after a platform that does not answer

log = logging.getLogger(__name__)


@dataclass
class _Round:
    """The time at which a platform is looked at next, and since when changes may be unknown."""

    next_at: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    since: float | None = None


class FieldConfiguration:
    """Rules for the objects of devices. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        versions: Versions,
        places: Places,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        stopping: threading.Event | None = None,
    ) -> None:
        self._store = store
        self._versions = versions
        self._places = places
        self._clock = clock
        self._monotonic = monotonic
        self._stopping = stopping or threading.Event()
        self._lock = threading.Lock()  # one device at a time: each waits for its platform
        self._rounds: dict[str, _Round] = {}
        self._listened_at = -_CALLS_EVERY_S
        self._called: dict[str, None] = {}  # devices whose platform says that something changed

    def settle(self, claim_id: str, url: str, device_id: str | None = None) -> None:
        """Take what was changed at the platform, and tell it what is. Whoever knows the device
        says so: then it keeps no other one waiting.

        Raises ServiceUnreachable if the platform did not do it; it may be repeated.
        """
        with held(self._lock):
            with self._store.transaction(device_id) as records:
                claim, version = _running(records, claim_id)
                if claim is None or version is None:
                    return
                changes.end_replaced(records, claim, self._clock())
                told = records.changes.told(url, claim.device_id)
            place = self._places.at(url)
            if place is None or version.document["platform"]["url"] != url:
                return
            self._settle(place, url, claim, version, told)

    def make_first(self, url: str, wanted: list[Wanted]) -> list[Wanted]:
        """Make the objects of several devices at our own platform, of which it was told nothing;
        those for which that is done, and their jobs with it.

        Raises NoAnswer if the platform is silent.
        """
        place = self._places.at(url)
        if place is None or not place.is_home:
            return []
        with held(self._lock):
            plain = [each for each in wanted if not self._places.editors(each.owner)]
            with self._store.reading() as records:
                firsts = firsts_of(records, url, plain)
            if not firsts:
                return []
            marked = zip(firsts, made(place, firsts), strict=True)
            done = [(first, marks) for first, marks in marked if marks is not None]
            devices, now = [first.wanted.device_id for first, _ in done], self._clock()
            if not devices:
                return []
            with self._store.transaction(*devices) as records:
                told = [first.told(url, marks, now) for first, marks in done]
                records.changes.put_told(*(each for each in told if each is not None))
                records.jobs.finish([job for first, _ in done for job in first.wanted.jobs])
            return [first.wanted for first, _ in done]

    def _settle(
        self, place: Place, url: str, claim: Claim, version: Version, told: Told | None
    ) -> None:
        about = self._about(place, claim, version)
        name = version.document["platform"]["cse"]
        cse = place.cse(name, _ALL_S, self._stopping.is_set)
        kind = told.kind if told else NODES
        seen = _keeper(cse, kind, place).look(about)
        known = told if told and told.claim_id == claim.id and seen is not None else None
        if seen is None and told is not None and told.claim_id == claim.id:
            with self._store.transaction(claim.device_id) as records:
                records.note(claim, self._clock(), "objects_gone", detail=f"{kind} at {url}")
        handed = place.handed_on(about.device_id) if known else {}
        if known is not None and seen is not None:
            self._take(claim, version, known, seen, handed)
        objects, base = self._truth(claim)
        done: dict[str, Any] = dict(known.told["done"]) if known else {}
        try:
            marks = _keeper(cse, kind, place).tell(about, objects, seen, done)
        except NoNodes:
            kind, done = CONTAINERS, {}
            keeper = _keeper(cse, kind, place)
            marks = keeper.tell(about, objects, keeper.look(about), done)
        kept = {
            each.name: {"attributes": each.attributes, "mark": marks[each.name]}
            for each in objects
            if each.name in marks
        }
        document = {"objects": kept, "base": base, "done": done}
        with self._store.transaction(claim.device_id) as records:
            records.changes.put_told(
                Told(
                    url, about.device_id, claim.id, about.originator, kind, document, self._clock()
                )
            )
        place.drop_handed_on(about.device_id, handed)

    def _about(self, place: Place, claim: Claim, version: Version) -> About:
        originator = version.document["platform"]["originator"]
        editors = self._places.editors(claim.owner)
        return About(claim.device_id, originator, editors, place.callback(claim.device_id))

    def _truth(self, claim: Claim) -> tuple[list[Object], dict[str, str]]:
        with self._store.reading() as records:
            now, version = _running(records, claim.id)
            if now is None or version is None:
                raise ServiceUnreachable("the device was released meanwhile")
            made = records.changes.of(claim.id)
            profile = records.profile_of(now) or {}
            base = {field: changes.base_of(profile, field) for field in CHANGEABLE.values()}
            return objects_of(now, version, made), base

    def _take(
        self,
        claim: Claim,
        version: Version,
        told: Told,
        seen: Mapping[str, Seen],
        handed: Mapping[str, Any],
    ) -> None:
        for name, field in CHANGEABLE.items():
            found, before = seen.get(name), told.told["objects"].get(name)
            if found is None or before is None:
                continue
            asked = _asked(found, before, is_whole=told.kind == NODES)
            if name in handed:
                asked[SECRET] = handed[name]["value"]
            if asked:
                with self._store.transaction() as records:
                    self._take_one(records, claim.id, told, field, found, asked)

    def _take_one(
        self,
        records: Records,
        claim_id: str,
        told: Told,
        field: str,
        found: Seen,
        asked: dict[str, Any],
    ) -> None:
        claim, version = _running(records, claim_id)
        if claim is None or version is None:
            return
        now, profile = self._clock(), records.profile_of(claim)
        if profile is None:
            return
        base = changes.base_of(profile, field)
        is_both = base != told.told["base"].get(field)
        change = Change(claim.id, field, {}, now, WANTED, None, "")
        if is_both and (found.at or now) <= records.profile_changed_at(claim.profile):
            changes.refuse(
                records, claim, replace(change, state=REPLACED), changes.portal_newer(field)
            )
            return
        try:
            effective = changes.with_changes(profile, records.changes.of(claim.id))
            value = _wanted(effective, field, found, asked)
            if value is None:
                records.changes.remove(claim.id, field)
                detail = "as the profile says"
            else:
                if changes.is_in_force(records, claim, field, {"value": value, "base": base}):
                    return  # it was taken, and the platform did not hear of it
                made = changes.with_value(profile, field, value)
                self._versions.check(claim, made)
                is_there = changes.is_in(version.document, made, field)
                change = replace(
                    change,
                    document={"value": value, "base": base},
                    state=RUNS if is_there else WANTED,
                    version=version.number if is_there else None,
                )
                records.changes.put(change)
                detail = changes.shown(field, value)
            if is_both:
                detail += ", later than the portal's change"
        except Invalid as error:
            detail = str(error).partition(" (profile ")[0]
            changes.refuse(records, claim, replace(change, state=REFUSED), detail)
            return
        changes.note(records, claim, change, detail, now)

    def called(self, device_id: str) -> bool:
        """A platform says that something changed: look there soon. False if nothing is kept."""
        if len(self._called) < _PAGE:
            self._called[device_id] = None
            return True
        return False

    def answer_calls(self) -> None:
        """Look where something was said to have changed, unless that was done a moment ago: then
        the next round does it.
        """
        if self._called and self._monotonic() - self._listened_at >= _CALLS_EVERY_S:
            self.listen()

    def listen(self) -> None:
        """Look for changes at each platform that answers. Soon over if the server stops."""
        self._listened_at = self._monotonic()
        with self._store.reading() as records:
            urls = records.changes.platforms()
        called, self._called = set(self._called), {}
        for url in urls:
            if self._stopping.is_set():
                return
            place, now = self._places.at(url), self._monotonic()
            state = self._rounds.setdefault(url, _Round())
            if place is None or now < state.next_at:
                continue
            try:
                self._listen_at(place, url, state, called)
                state.next_at, state.pause_s = 0.0, _FIRST_PAUSE_S
            except ServiceUnreachable as error:
                log.warning(
                    "the objects at %s are looked at again in %d s: %s", url, state.pause_s, error
                )
                state.next_at = now + state.pause_s
                state.pause_s = min(_LONGEST_PAUSE_S, 2 * state.pause_s)

    def _listen_at(self, place: Place, url: str, state: _Round, called: set[str]) -> None:
        now = self._clock()
        with self._store.reading() as records:
            due = records.changes.longest_unseen(url, now - _LOOK_EVERY_S, _LOOKS)
            names = called | self._changed_since(place, state)
            due += [told for name in sorted(names) if (told := records.changes.told(url, name))]
        state.since = now - _OVERLAP_S
        for claim_id in dict.fromkeys(told.claim_id for told in due):
            if self._stopping.is_set():
                return
            try:
                self.settle(claim_id, url)
            except HostError as error:
                if not isinstance(error, ServiceUnreachable):
                    log.warning("a device's objects could not be kept: %s", error)
                    continue
                raise

    def _changed_since(self, place: Place, state: _Round) -> set[str]:
        """The devices with objects that changed, as far as the platform can be asked that."""
        return set() if state.since is None else place.changed_since(state.since, _PAGE, _PAGES)

    def forget(self, url: str, originator: str, device_id: str) -> None:
        """Remove what was kept for an account that has ended, unless a newer one has it now.

        Raises ServiceUnreachable if the platform did not do it.
        """
        place = self._places.at(url)
        if place is None:
            return
        with held(self._lock):
            with self._store.reading() as records:
                told = records.changes.told(url, device_id)
            cse = place.cse(place.cse_name, _ALL_S, self._stopping.is_set)
            place.remove_entity(cse, originator)
            if told is None or told.originator != originator:
                return
            about = About(device_id, originator, ("*",))
            _keeper(cse, told.kind, place).forget(about)
            with self._store.transaction() as records:
                records.changes.forget_told(url, device_id)


def _keeper(cse: Cse, kind: str, place: Place) -> Keeper:
    if kind == CONTAINERS:
        return ContainerKeeper(cse)
    return NodeKeeper(cse, is_home=place.is_home)


def _running(records: Records, claim_id: str) -> tuple[Claim | None, Version | None]:
    """The claim, unless it has ended, with the version that its device has proved."""
    claim = records.claim(claim_id)
    if claim is None or claim.state in ENDED or claim.version == 0:
        return None, None
    return claim, records.version(claim_id, claim.version)


def _asked(found: Seen, before: Mapping[str, Any], *, is_whole: bool) -> dict[str, Any]:
    """The attributes that are others now than they were told."""
    if found.mark == before["mark"]:
        return {}
    told = before["attributes"]
    names = (set(told) | {"meil", SECRET}) - {"dc"} if is_whole else set(found.attributes)
    return {
        name: found.attributes.get(name)
        for name in sorted(names)
        if found.attributes.get(name) != told.get(name)
    }


def _wanted(profile: dict[str, Any], field: str, found: Seen, asked: Mapping[str, Any]) -> Any:
    """The value that is asked for; None: the profile's own.

    Raises Invalid for an attribute that is not for others to change, and for a wrong value.
    """
    own = {"meil"} if field == changes.COLLECTION else {"ssid", SECRET}
    for name in asked:
        if name not in own:
            raise Invalid("this says what the device is, and is not to be changed", path=name)
    if field == changes.COLLECTION:
        if asked["meil"] is None:
            return None
        return changes.collection_wanted(profile, asked["meil"])
    credentials = asked.get(SECRET)
    if credentials is not None and not isinstance(credentials, dict):
        raise Invalid("wanted an object", path=SECRET)
    return changes.network_wanted(profile, found.attributes.get("ssid"), credentials)

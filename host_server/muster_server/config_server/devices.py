# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Claims as their owners see them: register a device, look at it, open its window, release it."""

import hmac
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from muster_server.config_server import window
from muster_server.config_server.changing import changed, check_is_held, checked_change, moved
from muster_server.config_server.device_view import DeviceViews, existing, may_be_shown
from muster_server.config_server.ending import end_ownership, left_behind
from muster_server.config_server.new_claims import (
    INITIALISE,
    REGISTER,
    FirstClaims,
    Wish,
    moment_of_claim,
    new_claim,
    new_claim_id,
)
from muster_server.config_server.platform_adapter import new_originator
from muster_server.config_server.proof import (
    drop_claim,
)
from muster_server.config_server.recognition import MOST_CLAIMS, is_expired
from muster_server.config_server.rivals import forget_buried, make_room
from muster_server.config_server.versions import (
    MEANWHILE,
    Draft,
    Versions,
    unreleased,
)
from muster_server.errors import (
    Conflict,
    HostError,
    Invalid,
    LabelRefused,
    NotFound,
    Released,
    ServiceUnreachable,
)
from muster_server.label import parse_label
from muster_server.store.claims import (
    CLAIM_LIFE_S,
    ENDED,
    Claim,
    living_until,
    with_step,
)
from muster_server.store.config import ConfigStore, Records


class DeviceService:
    """Rules for claims. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        versions: Versions,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        expiry: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._versions = versions
        self._clock = clock
        self._expiry = expiry or clock
        self._monotonic = monotonic
        self.views = DeviceViews(store, versions, clock)
        self._firsts = FirstClaims(store, versions, self.views, clock, monotonic)

    def register(
        self,
        text: str,
        profile: str,
        name: str,
        owner: str,
        portal_ms: int | None = None,
        until: int | None = None,
    ) -> dict[str, Any]:
        """Steps 1 and 2: claim the device on this label and prepare its first version.

        Doing it again with the same label is allowed: it opens the onboarding window, and
        changes profile and name. `until` is when the window ends, in Unix seconds; None: with the
        claim as long as nobody has proved it, else in 24 hours. LabelRefused, NotFound (profile),
        Invalid (until) or Conflict otherwise.
        """
        started, now = self._monotonic(), self._clock()
        end = None if until is None else window.chosen_end(until, now)
        wish = Wish(parse_label(text), profile, name, owner, now, end, portal_ms, started)
        self._versions.stock()
        try:
            shown = self._firsts.shown(wish)
            return shown or self._registered(wish)
        except ServiceUnreachable as error:
            return self._registered(wish, error)

    def _registered(self, wish: Wish, failed: ServiceUnreachable | None = None) -> dict[str, Any]:
        """The same for any device; `failed` is what the platform said to a new claim, if it was
        asked already.
        """
        device_id, owner, new_id, answer = wish.label.device_id, wish.owner, new_claim_id(), None
        with self._versions.lock(new_id), self._versions.alone(new_id):
            with self._store.transaction(device_id) as records:
                if records.profile(wish.profile) is None:
                    raise NotFound(f'there is no profile named "{wish.profile}"; make it first')
                others = records.claims_of(device_id)
                claim = claimed(records, others, wish, expiry=self._expiry(), new_id=new_id)
                claim = with_step(claim, REGISTER, "done", "ok", wish.portal_ms, wish.now)
                begun: Draft | HostError | None = None
                if claim.id == new_id:
                    begun = failed or self._begun(records, claim, is_new=True)
                records.put_claim(begun.claim if isinstance(begun, Draft) else claim)
                records.history.note(device_id, owner, moment_of_claim(wish))
            if begun is not None:
                is_alone = not any(may_be_shown(other, owner) for other in others)
                answer = self._ended(claim, begun, wish.started, is_shown=is_alone)
        if begun is None:
            self.prepare(claim, wish.started)
        return answer or self.shown(device_id, owner)

    def prepare(self, claim: Claim, started: float) -> None:
        """Step 2. If it fails the claim stays: the sync tries again, and the owner sees why."""
        with self._versions.lock(claim.id), self._versions.alone(claim.id):
            with self._store.transaction(claim.device_id) as records:
                begun = self._begun(records, unreleased(records, claim.id))
            self._ended(claim, begun, started)

    def _begun(self, records: Records, claim: Claim, *, is_new: bool = False) -> Draft | Invalid:
        try:
            return self._versions.drafted(records, claim, claim.version, is_new=is_new)
        except Invalid as error:
            return error

    def _ended(
        self, claim: Claim, begun: Draft | HostError, started: float, *, is_shown: bool = False
    ) -> dict[str, Any] | None:
        """Have the platform do its part of step 2, and keep what came of it. Return what is shown
        of the device, if it `is_shown` and nobody has heard of it yet.
        """
        try:
            if isinstance(begun, HostError):
                raise begun
            version = begun.version or self._versions.made(begun)
        except (Invalid, ServiceUnreachable) as error:
            self._failed(claim, error, started)
            return None
        now, ms = self._clock(), round((self._monotonic() - started) * 1000)
        done = partial(with_step, step=INITIALISE, state="done", code="ok", ms=ms, at=now)
        with self._store.transaction(claim.device_id) as records:
            if begun.version is None:
                kept = self._versions.keep(records, begun, version, done)
            else:
                kept = records.claim(claim.id)
                if kept is not None:
                    records.put_claim(done(kept))
            if kept is not None:
                detail = f"version {version.number}"
                records.note(kept, now, "prepared", step=INITIALISE, ms=ms, detail=detail)
                if is_shown and kept.seen_at is None:
                    return self.views.of_new(records, kept, version)
        if kept is None and begun.version is None:
            raise Released(MEANWHILE)
        return None

    def _failed(self, claim: Claim, error: HostError, started: float) -> None:
        code = "config_invalid" if isinstance(error, Invalid) else "platform_unreachable"
        now, ms = self._clock(), round((self._monotonic() - started) * 1000)
        last = {"config": 0, "step": INITIALISE, "code": code, "detail": str(error)}
        with self._store.transaction(claim.device_id) as records:
            known = records.claim(claim.id)
            if known is not None:
                known = with_step(known, INITIALISE, "failed", code, ms, now)
                records.put_claim(replace(known, last=last))
                more: dict[str, Any] = {"step": INITIALISE, "code": code, "ms": ms}
                records.note(known, now, "prepared", detail=str(error), **more)

    def shown(self, device_id: str, owner: str) -> dict[str, Any]:
        """Everything that its owner may know about a device; no secret is in it."""
        return self.views.one(device_id, owner)

    def change(
        self,
        device_id: str,
        owner: str,
        profile: str | None,
        name: str | None,
        group: str | None = None,
        tags: list[str] | None = None,
    ) -> dict[str, Any]:
        """Give a device another profile, name or group, or other tags; None: as it is.

        Nothing else changes, the window stays as it is, and the label is not needed: the device
        gets a new version at its next contact. Raises NotFound (device, profile), Conflict or
        Invalid.
        """
        started, now = self._monotonic(), self._clock()
        new = checked_change(profile, name, group, tags)
        with self._store.transaction() as records:
            claim, is_news = changed(records, owner, device_id, new, now)
        if is_news:
            self.prepare(claim, started)
        return self.shown(device_id, owner)

    def open_window(self, device_id: str, owner: str, until: int | None = None) -> dict[str, Any]:
        """Let the label be used again: until then, or until the device proves a configuration.

        `until` is in Unix seconds; None: for 24 hours. Raises Invalid for one that is past or more
        than 14 days ahead, Conflict if the label may not be used again, NotFound.
        """
        now = self._clock()
        end = window.chosen_end(until, now)
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            check_may_reopen(records, claim)
            records.put_claim(window.opened(claim, end))
            records.note(claim, now, "window_opened", source="portal", detail=_until(end))
        return self.shown(device_id, owner)

    def close_window(self, device_id: str, owner: str) -> dict[str, Any]:
        """Let the label be used no longer. Closing it again changes nothing; NotFound.

        A profile with `"reonboarding": "always"` keeps it open all the same: Conflict.
        """
        now = self._clock()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            closed = window.closed(claim)
            if window.is_open(records, closed, now):
                raise Conflict(
                    f'profile "{claim.profile}" lets labels be used at any time (reonboarding: '
                    "always); change that in the profile"
                )
            records.put_claim(closed)
            if claim.window_open:
                records.note(claim, now, "window_shut", source="portal")
        return self.shown(device_id, owner)

    def release(self, device_id: str, owner: str) -> None:
        """End the ownership: the account is closed, and a device that asks is told to forget."""
        now = self._clock()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            end_ownership(records, claim, now)

    def hand_over(self, device_id: str, owner: str) -> dict[str, Any]:
        """Release the device to somebody else, and say what it knew; no secret is in it.

        `networks` are those whose passwords it was given. Raises NotFound.
        """
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            known = left_behind(records, claim)
            end_ownership(records, claim, self._clock())
        return known

    def new_account(self, device_id: str, owner: str) -> dict[str, Any]:
        """Give the device another identity at its platform, e.g. after `platform_conflict`.

        It gets the new account with its next version; the former one is closed when that
        version has been proved. Until then the device may go on under it.
        """
        started, now = self._monotonic(), self._clock()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            check_is_held(claim)
            claim = replace(claim, originator=new_originator())
            records.put_claim(claim)
            records.add_event(claim, now, "account_replaced", "asked for by the owner")
            records.note(claim, now, "account_replaced", source="portal")
        self.prepare(claim, started)
        return self.shown(device_id, owner)

    def register_for_vendor(self, labels: list[str]) -> list[dict[str, Any]]:
        """One verdict per label: `added`, `known` or `refused` with the reason."""
        return [self._register_for_vendor(text) for text in labels]

    def _register_for_vendor(self, text: str) -> dict[str, Any]:
        try:
            label = parse_label(text)
        except LabelRefused as error:
            return {"device_id": None, "verdict": "refused", "detail": str(error)}
        verdict: dict[str, Any] = {"device_id": label.device_id, "detail": ""}
        now = self._clock()
        with self._store.transaction() as records:
            known = records.vendor_device(label.device_id)
            if known is not None:
                is_same = hmac.compare_digest(known.secret, label.secret)
                detail = "" if is_same else "it is registered with another secret"
                return verdict | {"verdict": "known" if is_same else "refused", "detail": detail}
            for claim in records.claims_of(label.device_id):
                if hmac.compare_digest(claim.secret, label.secret):
                    continue
                if claim.state == "proved":
                    detail = "a device with another secret has proved this id"
                    return verdict | {"verdict": "refused", "detail": detail}
                if claim.state == "unproved":
                    drop_claim(records, claim, now)
                    records.add_event(claim, now, "claim_refused", "not the vendor's secret")
            records.add_vendor_device(label.device_id, label.secret)
        return verdict | {"verdict": "added"}


def claimed(
    records: Records, claims: list[Claim], wish: Wish, *, expiry: float, new_id: str | None = None
) -> Claim:
    """The claim for this label: an old one of the same owner, or a new one, with an open window.
    `claims` are those of the device; `new_id` is what a new one is to be called.

    Raises LabelRefused or Conflict if the owner cannot have it.
    """
    label, owner, end, now = wish.label, wish.owner, wish.end, wish.now
    vendor = records.vendor_device(label.device_id)
    if vendor is not None and not hmac.compare_digest(vendor.secret, label.secret):
        raise LabelRefused(
            "the vendor registered this device with another secret; is this its label?",
            path="secret",
        )
    forget_buried(records, claims, owner)
    claims = [claim for claim in claims if claim.state not in ENDED]
    for claim in claims:
        if not hmac.compare_digest(claim.secret, label.secret):
            continue
        if claim.owner != owner:
            raise Conflict("this label has been registered by somebody else, who must release it")
        if claim.state == "proved":
            check_may_reopen(records, claim)
        claim = living_until(claim, now + CLAIM_LIFE_S)
        # A claim without an end, or whose bundle is being carried, is no end for a window.
        if end is None and (claim.expires_at or math.inf) > now + window.LONGEST_S:
            end = window.chosen_end(None, now)
        return window.opened(moved(records, replace(claim, name=wish.name), wish.profile), end)
    if any(claim.state == "proved" for claim in claims):
        raise Conflict(
            "a device with another secret has proved this id; if its label was reissued, release "
            "the device first"
        )
    live = [claim for claim in claims if not is_expired(claim, expiry)]
    if len(live) >= MOST_CLAIMS:
        make_room(records, live, owner, now)
    return new_claim(new_id or new_claim_id(), wish)


def _until(end: float) -> str:
    return f"until {datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M} UTC"


def check_may_reopen(records: Records, claim: Claim) -> None:
    """Conflict if the profile lets a label be used once, and it has been; or if there is no claim
    any more whose window could open.
    """
    check_is_held(claim)
    profile = records.profile(claim.profile) or {}
    if claim.version and profile.get("reonboarding") == "never":
        raise Conflict(
            f'profile "{claim.profile}" says that a label is used once (reonboarding: never)'
        )

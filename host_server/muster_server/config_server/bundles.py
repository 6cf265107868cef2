# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The offline flow's first half: makes bundles, hands them out, and tells one when it sees it.

Every deed is written into the server's log, the device's events and its history.
"""

import hmac
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from muster_server.config_server import bundle as form
from muster_server.config_server.configuration import check_configuration
from muster_server.config_server.device_view import bundle_shown, bundle_state, existing
from muster_server.config_server.devices import check_may_reopen
from muster_server.config_server.proof import FIND, JOIN, LEAVE, REACH, RECEIVE, REGISTER, SEND
from muster_server.config_server.versions import Versions
from muster_server.config_server.window import running_out
from muster_server.errors import BundleRefused, Conflict, NotFound
from muster_server.label import Label
from muster_server.store.bundles import Bundle
from muster_server.store.claims import Claim, living_until, with_step
from muster_server.store.config import ConfigStore, Records

CARRIED_LIFE_S = 365 * 86400.0  # of a claim whose bundle is in somebody's hands
_AT_WORK = ("applied", "registered")

log = logging.getLogger(__name__)


class BundleService:
    """Rules for bundles. Knows neither HTTP nor SQL."""

    def __init__(self, store: ConfigStore, versions: Versions, clock: Callable[[], float]) -> None:
        self._store = store
        self._versions = versions
        self._clock = clock

    def make(
        self,
        device_id: str,
        owner: str,
        life_s: int | None = None,
        above: int = 0,
        *,
        without_wifi: bool = False,
    ) -> dict[str, Any]:
        """Seal what the profile says now, as a version that nobody was given before.

        `life_s`: how long devices that know the time take it; `above`: a version that the device
        is known to have; `without_wifi`: whoever stands beside the device gives it a network.
        Conflict if the label may not be used again or the profile does not allow that, Invalid if
        the profile is wrong, ServiceUnreachable if the platform gave no token; then nothing has
        changed.
        """
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            check_may_reopen(records, claim)
            if without_wifi:
                _check_takes_wifi(records, claim)
        with self._versions.lock(claim.id):
            with self._store.transaction() as records:
                floor = max(above, _highest_given(records, claim))
            version = self._versions.issue(claim.id, floor)
            now = self._clock()
            expires_at = None if life_s is None else int(now) + life_s
            label = Label(claim.device_id, claim.secret)
            config = _without_wifi(version.document) if without_wifi else version.document
            text = form.sealed(label, int(now), expires_at, config)
            made = Bundle(claim.id, version.number, form.digest_of(text), text, now, expires_at)
            with self._store.transaction() as records:
                claim = existing(records, device_id, owner)
                records.bundles.add(made)
                self._tell(records, claim, "bundle_made", made)
                return bundle_shown(made, [made], claim, now)

    def all_shown(self, device_id: str, owner: str) -> list[dict[str, Any]]:
        """Return the progress of the device's bundles, the newest first.

        Raises NotFound if the owner has no such device.
        """
        now = self._clock()
        with self._store.reading() as records:
            claim = existing(records, device_id, owner)
            bundles = records.bundles.of(claim.id)
            shown = [bundle_shown(bundle, bundles, claim, now) for bundle in bundles]
        return shown[::-1]

    def hand_out(self, device_id: str, owner: str) -> tuple[str, dict[str, Any]]:
        """The newest bundle's text, and how far it has come. NotFound if none was made, Conflict
        if a device would refuse it: as not newer, or as expired.
        """
        now = self._clock()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            bundles = records.bundles.of(claim.id)
            if not bundles or bundles[-1].text is None:
                raise NotFound(f"no bundle was made for {claim.device_id}; make one first")
            bundle = bundles[-1]
            _check_is_good(bundle_state(bundle, bundles, claim, now), bundle)
            if bundle.handed_out_at is None:
                bundle = replace(bundle, handed_out_at=now)
                records.bundles.put(bundle)
                records.put_claim(_with_bundle_under_way(claim, now))
                self._tell(records, claim, "bundle_handed_out", bundle)
            shown = bundle_shown(bundle, [*bundles[:-1], bundle], claim, now)
        return str(bundle.text), shown

    def check(self, text: str, owner: str) -> dict[str, Any]:
        """Return the device of a bundle, and the bundle's progress.

        Raises BundleRefused if it is not whole or not ours, NotFound if it is for a device that
        this owner does not have.
        """
        text = form.stripped(text)
        device_id = form.device_of(text)
        with self._store.reading() as records:
            claim = existing(records, device_id, owner)
            bundles = records.bundles.of(claim.id)
            former = [c for c in records.claims_of(device_id) if c.state == "released"]
        digest = form.digest_of(text)
        for bundle in bundles:
            if hmac.compare_digest(bundle.digest, digest):
                shown = bundle_shown(bundle, bundles, claim, self._clock())
                return {"device_id": device_id, **shown}
        _check_label(text, claim, former)
        raise BundleRefused(
            "it was made with this device's label, and is not among the newest bundles that this "
            "server has made; make a new one",
            path="bundle",
        )

    def _tell(self, records: Records, claim: Claim, what: str, bundle: Bundle) -> None:
        now = self._clock()
        detail = f"version {bundle.version}"
        log.info("%s: %s, %s, for %s", claim.device_id, what, detail, claim.owner)
        records.add_event(claim, now, what, detail)
        records.note(claim, now, what, source="portal", step=RECEIVE, detail=detail)


def _check_takes_wifi(records: Records, claim: Claim) -> None:
    profile = records.profile(claim.profile) or {}
    if not profile.get("policy", {}).get("local_wifi"):
        raise Conflict(
            f'the profile "{claim.profile}" does not let people beside a device give it a Wi-Fi '
            "network, so a bundle without one would be of no use; set policy.local_wifi to true "
            "in it, or make the bundle with its networks"
        )


def _without_wifi(document: dict[str, Any]) -> dict[str, Any]:
    """The configuration for a place whose Wi-Fi nobody here knows.

    Invalid if the profile has been changed meanwhile. The version itself keeps the networks: asked
    over the network, the server hands it out whole.
    """
    config = {**document, "networks": []}
    check_configuration(config)
    return config


def _highest_given(records: Records, claim: Claim) -> int:
    """The highest version that a device may have got, by sync or by bundle."""
    given = [v.number for v in records.versions_of(claim.id) if v.handed_out_at is not None]
    return max([claim.version, *given, *(b.version for b in records.bundles.of(claim.id))])


def _check_is_good(state: str, bundle: Bundle) -> None:
    if state == "superseded":
        raise Conflict(
            f"the device has a configuration newer than version {bundle.version}, so it would "
            "refuse this bundle; make a new one"
        )
    if state == "expired":
        raise Conflict(f"the bundle of version {bundle.version} has expired; make a new one")


def _with_bundle_under_way(claim: Claim, now: float) -> Claim:
    """A person carries it: that is what steps 3 to 5 are in this flow."""
    # The device may be at work for long, far from this server, before anybody looks for it.
    claim = living_until(running_out(claim, now), now + CARRIED_LIFE_S)
    if claim.status in _AT_WORK:
        return claim  # and stays so, until a receipt tells more: the bundle may never be applied
    for step in (FIND, REACH, SEND):
        claim = with_step(claim, step, "done", "ok", None, now, "bundle")
    for step in (RECEIVE, LEAVE, JOIN, REGISTER):
        claim = with_step(claim, step, "pending", None, None, None)
    return replace(claim, status="handed_out")


def _check_label(text: str, claim: Claim, former: list[Claim]) -> None:
    try:
        form.opened(Label(claim.device_id, claim.secret), text)
    except BundleRefused:
        for released in former:
            if _opens(released, text):
                raise BundleRefused(
                    "it was made with a former label of this device, so the device refuses it; "
                    "make a new one",
                    path="tag",
                ) from None
        raise


def _opens(claim: Claim, text: str) -> bool:
    try:
        form.opened(Label(claim.device_id, claim.secret), text)
    except BundleRefused:
        return False
    return True

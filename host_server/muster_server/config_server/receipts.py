# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The offline flow's second half: what a receipt proves, and what follows from it."""

import hmac
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from muster_server.config_server import bundle as form
from muster_server.config_server import proof
from muster_server.config_server.device_view import existing
from muster_server.config_server.limits import RECEIPTS, RateLimit
from muster_server.errors import Conflict, ReceiptRefused
from muster_server.label import Label
from muster_server.outcomes import CODES, step_of
from muster_server.store.bundles import Bundle
from muster_server.store.claims import CLAIM_LIFE_S, Claim, Version, living_until, with_step
from muster_server.store.config import ConfigStore, Records

# How many of the owner's other bundles a receipt is compared with, to say whose it is.
_MOST_OTHERS = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Match:
    bundle: Bundle
    outcome: str


class ReceiptService:
    """Rules for receipts. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        has_accounts: Callable[[str], bool],
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._has_accounts = has_accounts
        self._clock = clock
        self._tries = RateLimit(RECEIPTS, monotonic)

    def check(self, device_id: str, owner: str, typed: str) -> dict[str, Any]:
        """Return what the receipt says, as one of three verdicts.

        They are `accepted`, `failed` (with the outcome), and `superseded`, for a bundle that is
        not the newest or was followed by a sync. Raises ReceiptRefused if the receipt fits no
        bundle of this device, as far as that can be told apart; Conflict if there is no bundle;
        TooManyRequests.
        """
        receipt = form.typed_receipt(typed)
        now = self._clock()
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            if not records.bundles.of(claim.id):
                raise Conflict(f"no bundle was made for {claim.device_id}, so it has no receipt")
        self._tries.take(f"{owner} {claim.device_id}")
        with self._store.transaction() as records:
            claim = existing(records, device_id, owner)
            bundles = records.bundles.of(claim.id)
            match = _match(claim, bundles, receipt)
            if match is not None:
                return self._judged(records, claim, bundles, match, now)
            reason = _whose(records, claim, owner, receipt)
            # Not what was typed: it may be right, but for one character.
            records.note(claim, now, "receipt_refused", source="portal", code="receipt_refused")
        log.info("%s: a receipt was refused, for %s", claim.device_id, owner)
        raise ReceiptRefused(reason, path="receipt")

    def _judged(
        self, records: Records, claim: Claim, bundles: list[Bundle], match: _Match, now: float
    ) -> dict[str, Any]:
        bundle, outcome = match.bundle, match.outcome
        version = records.version(claim.id, bundle.version)
        is_past = bundle.version != bundles[-1].version or claim.version > bundle.version
        # A blank device goes on trying, and may have succeeded since.
        is_past = is_past or (outcome != "ok" and claim.version == bundle.version)
        verdict = "superseded" if is_past else "accepted" if outcome == "ok" else "failed"
        if verdict != "superseded":
            records.bundles.put(replace(bundle, receipt_at=now, outcome=outcome))
        if verdict == "accepted" and version is not None and version.proved_at is None:
            claim = self._settled(records, claim, bundle, version, now)
        elif verdict == "failed":
            claim = _failed(claim, bundle, outcome, now)
        records.put_claim(replace(claim, seen_at=now))
        detail = f"version {bundle.version}"
        log.info("%s: a receipt was %s, %s, for %s", claim.device_id, verdict, detail, claim.owner)
        records.add_event(claim, now, f"receipt_{verdict}", detail)
        more: dict[str, Any] = {"source": "portal", "code": outcome, "detail": detail}
        records.note(claim, now, f"receipt_{verdict}", step=step_of(outcome), **more)
        return {
            "device_id": claim.device_id,
            "verdict": verdict,
            "version": bundle.version,
            "outcome": outcome,
            "newest_version": max(bundles[-1].version, claim.version),
            "repeated": bundle.receipt_at is not None and bundle.outcome == outcome,
        }

    def _settled(
        self, records: Records, claim: Claim, bundle: Bundle, version: Version, now: float
    ) -> Claim:
        """Do what the proved sync of a device that onboarded online does."""
        claim = proof.settle_claim(records, claim, now)
        claim, _ = proof.settle_version(records, claim, version, now)
        records.add_job("describe", now, **proof.described(claim, version))
        for step in range(proof.FIND, proof.REGISTER + 1):
            claim = with_step(claim, step, "done", "ok", None, now, "bundle")
        # Where one can look, the platform has the last word.
        can_be_seen = self._has_accounts(version.document["platform"]["url"])
        is_registered = bundle.seen_at is not None or not can_be_seen
        return replace(claim, status="registered" if is_registered else "applied")


def _match(claim: Claim, bundles: Iterable[Bundle], receipt: str) -> _Match | None:
    """The bundle and outcome that this receipt is for. All are compared, whichever fits."""
    key = Label(claim.device_id, claim.secret).key("receipt-key")
    found = None
    for bundle in bundles:
        for outcome in CODES:
            made = form.receipt(key, bundle.version, outcome, bundle.digest)
            if hmac.compare_digest(made, receipt):
                found = _Match(bundle, outcome)
    return found


def _whose(records: Records, claim: Claim, owner: str, receipt: str) -> str:
    """Return why a receipt does not fit, as far as an owner's own devices tell.

    How near it came is not said: that would help somebody who guesses.
    """
    for former in records.claims_of(claim.device_id):
        if former.id != claim.id and former.owner == owner:
            match = _match(former, records.bundles.of(former.id), receipt)
            if match is not None:
                return (
                    "it is for a bundle that was made with another label of this device; make a "
                    "bundle with the label that it has now, and have the device apply that one"
                )
    for bundle in records.bundles.of_owner(owner, claim.device_id, _MOST_OTHERS):
        other = records.claim(bundle.claim_id)
        if other is not None and _match(other, [bundle], receipt) is not None:
            return f"it is the receipt of another device, {other.device_id}; enter it there"
    return (
        "it fits no bundle that was made for this device; compare the eight characters with what "
        "the device shows, and see that the bundle it applied was made for it by this portal"
    )


def _failed(claim: Claim, bundle: Bundle, outcome: str, now: float) -> Claim:
    failed_step = step_of(outcome)
    for step in range(proof.RECEIVE, failed_step):
        claim = with_step(claim, step, "done", "ok", None, now, "bundle")
    claim = with_step(claim, failed_step, "failed", outcome, None, now, "bundle")
    last = {"config": bundle.version, "step": failed_step, "code": outcome, "detail": ""}
    # A device that answers to it is not a squatter's invention.
    return replace(living_until(claim, now + CLAIM_LIFE_S), last=last, status="failed")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device as its owner sees it."""

from typing import Any

from muster_server import ssids
from muster_server.config_server import window
from muster_server.config_server.recognition import is_expired
from muster_server.errors import NotFound
from muster_server.store.bundles import Bundle
from muster_server.store.claims import Claim
from muster_server.store.config import Records


def existing(records: Records, device_id: str, owner: str) -> Claim:
    """The owner's claim of this device; NotFound if there is none."""
    claim = chosen(records, device_id, owner)
    if claim is None:
        raise NotFound(f"you have no device {device_id}")
    return claim


def chosen(records: Records, device_id: str, owner: str) -> Claim | None:
    """The claim to show: the proved one, else the one that was heard of last, else the newest."""
    claims = [
        claim
        for claim in records.claims_of(device_id)
        if claim.owner == owner and claim.state != "released"
    ]
    if not claims:
        return None
    return max(claims, key=lambda c: (c.state == "proved", c.seen_at or 0.0, c.created_at))


def short(claim: Claim) -> dict[str, Any]:
    """Return what a list shows of a device."""
    return {
        "device_id": claim.device_id,
        "name": claim.name,
        "profile": claim.profile,
        "state": claim.status,
        "claim": claim.state,
        "version": claim.version,
        "seen_at": claim.seen_at,
    }


def full(records: Records, claim: Claim, now: float) -> dict[str, Any]:
    """Everything that its owner may know about a device; no secret is in it."""
    bundles = records.bundles.of(claim.id)
    versions = records.versions_of(claim.id)
    newest = versions[-1].document if versions else None
    pending = {"state": "pending", "code": None, "ms": None, "at": None}
    return {
        **short(claim),
        "registered_at": claim.created_at,
        "expires_at": claim.expires_at,
        "is_expired": is_expired(claim, now),
        "window": {"open": window.is_open(records, claim, now), "until": window.ends_at(claim)},
        "issued_version": versions[-1].number if versions else claim.highest,
        "steps": [
            {"step": step, **(claim.progress.get(str(step)) or pending)} for step in range(1, 10)
        ],
        "bundle": bundle_shown(bundles[-1], bundles, claim, now) if bundles else None,
        "last": claim.last,
        "device": claim.facts,
        "account": {"originator": claim.originator},
        "networks": [ssids.name_of(n) for n in newest["networks"]] if newest else [],
        "platform": newest["platform"]["url"] if newest else None,
        "events": records.events_of(claim),
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

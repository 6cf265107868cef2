# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The values that the configuration server remembers: claims, versions, jobs."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from muster_server.frozen import replaced

# How long an unproved claim lives after the last word from a device that holds its secret.
CLAIM_LIFE_S = 14 * 24 * 3600
# The state of a claim that had to make room for others: only the news of that is left of it.
DISPLACED = "displaced"
# Nobody owns a device by these.
ENDED = ("released", DISPLACED)
# What a claim's status may be while somebody owns the device by it.
HELD = ("prepared", "waiting", "handed_out", "applied", "registered", "failed")
# Deeds that tell a platform of a device. All others end an account or a token, and go first.
DESCRIBING = ("describe", "objects")


@dataclass(frozen=True)
class Claim:
    """The claim that somebody owns a device.

    The claim is proved once a device with its secret has echoed a nonce.
    """

    id: str
    device_id: str
    owner: str
    secret: bytes = field(repr=False)
    profile: str
    name: str
    state: str  # "unproved", "proved", "released", "displaced"
    nonce: str = field(repr=False)
    originator: str  # e.g. "C5f0c…", made once per ownership
    created_at: float
    expires_at: float | None
    window_open: bool
    window_until: float | None
    version: int  # the proved one, 0 if there is none yet
    highest: int  # ever issued here or reported by the device
    status: str  # "prepared", "waiting", "handed_out", "registered", "failed", "released"
    progress: dict[str, Any]  # step number as text -> {"state", "code", "ms", "at"}
    last: dict[str, Any] | None
    facts: dict[str, Any] | None
    seen_at: float | None
    # Of a platform, whose answer has not come: {"url", "originator", "token_id"}. If it does not
    # come, asking again for the same token leaves no other behind.
    asked: dict[str, Any] | None = None
    # What binds the device to its server from its first commit on, the same in all versions of an
    # ownership. None: of a claim older than that, which gets it with its next version.
    adoption: bytes | None = field(default=None, repr=False)
    # Of the proved version: the effect of its profile's version that it was made from. None: it
    # was made of another profile, or nothing is proved.
    runs: int | None = None


@dataclass(frozen=True)
class Version:
    """One configuration of a claim; its document never changes."""

    claim_id: str
    number: int
    document: dict[str, Any] = field(repr=False)
    token_id: str | None
    handed_out_at: float | None
    proved_at: float | None
    # The devices that it was handed to under the label, as far as they differ: [address, chip]
    handed_to: list[list[str]] | None = None
    # The effect of the profile's version that it was made from; None: an older release made it
    made_from: int | None = None

    @property
    def is_copied(self) -> bool:
        """Tell whether more than one device may have it: its label has been copied."""
        return len(self.handed_to or ()) > 1


@dataclass(frozen=True)
class Keyholder:
    """The secrets of a claim, and what says whether they count."""

    id: str
    device_id: str
    secret: bytes = field(repr=False)
    state: str
    expires_at: float | None
    adoption: bytes | None = field(repr=False)


@dataclass(frozen=True)
class VendorDevice:
    """A device that its vendor registered before it was sold."""

    device_id: str
    secret: bytes = field(repr=False)
    nonce: str = field(repr=False)
    seen_at: float | None


@dataclass(frozen=True)
class Job:
    """Something to be done at a platform, until it has worked."""

    id: int
    deed: str
    arguments: dict[str, Any]
    tries: int


def new_nonce() -> str:
    """96 random bits as text."""
    return secrets.token_urlsafe(12)


def step_entry(state: str, code: str | None, ms: int | None, at: float | None) -> dict[str, Any]:
    """One of the nine steps, as the progress of a claim says it."""
    return {"state": state, "code": code, "ms": ms, "at": at}


def with_step(
    claim: Claim,
    step: int,
    state: str,
    code: str | None,
    ms: int | None,
    at: float | None,
    by: str | None = None,
) -> Claim:
    """The claim with one of the nine steps set, e.g. (8, "failed", "wifi_auth", 15000, now).

    `by` is "bundle" for what a person did in place of the onboarding network.
    """
    entry = step_entry(state, code, ms, at)
    if by is not None:
        entry["by"] = by
    return replaced(claim, progress={**claim.progress, str(step): entry})


def living_until(claim: Claim, at: float) -> Claim:
    """The claim, which lives until then at least. One that was proved lives anyway."""
    if claim.expires_at is None:
        return claim
    return replaced(claim, expires_at=max(claim.expires_at, at))

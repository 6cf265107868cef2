# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A contact, and what a device is told then; the commonest of it: that it keeps what it runs."""

from dataclasses import dataclass, field
from typing import Any

from muster_server.config_server import proof, window
from muster_server.config_server.label_uses import Use
from muster_server.config_server.recognition import ADOPTED
from muster_server.config_server.report import Report
from muster_server.config_server.versions import Versions
from muster_server.store.claims import Claim, Version
from muster_server.store.config import Records

SOON_S = 5


@dataclass(frozen=True)
class Direction:
    """The action that the device shall take, and what it needs for that."""

    action: str
    nonce: str
    retry_s: int
    config: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Contact:
    """A report that was written down, and whose it is."""

    claim: Claim
    k: str
    version: Version | None  # that the device runs or tries, as far as it is known here
    report: Report
    use: Use
    is_new: bool  # not a message that came before
    is_proved: bool


def kept(
    records: Records, versions: Versions, claim: Claim, contact: Contact, now: float
) -> tuple[Direction, Claim] | None:
    """Tell the device to keep what it runs, beside its claim as it is then; None if that is not
    what it shall run, or if it came as an adopted one while its owner has opened the window.

    Raises Invalid for a profile that makes nothing.
    """
    running = contact.version
    if running is None or (contact.k == ADOPTED and window.is_invited(claim, now)):
        return None
    if not versions.is_current(records, claim, running):
        return None
    policy_s = int(running.document["policy"]["sync_s"])
    is_there = proof.shows_registration(contact.report, running.number)
    is_troubled = claim.status != "registered" or claim.last is not None
    if contact.is_proved and is_there and is_troubled:
        # It failed with another version, and that one is not wanted any more.
        claim = proof.at_work(claim, now)
    if running.made_from is None:
        claim = proof.note_origin(records, claim, running)
    # One that came by bundle is proved as soon as it has a nonce to echo; and only with the newest
    # can a device show that it is well which lost its directive, and the nonce in it, to a power
    # cut.
    is_well = running.proved_at is not None and claim.status == "registered"
    is_settled = contact.is_proved or is_well
    retry_s = policy_s if is_settled else min(SOON_S, policy_s)
    return Direction("keep", claim.nonce, retry_s), claim

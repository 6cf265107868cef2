# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Several claims of one device id: which of them ends when there are too many.

To refuse the newcomer would let anybody keep an owner out for as long as claims live; to end the
oldest would let four made-up labels put an owner out who came first.
"""

from collections import Counter
from dataclasses import replace

from muster_server.config_server import window
from muster_server.config_server.proof import accounts_given, close_accounts, drop_claim
from muster_server.config_server.recognition import MOST_CLAIMS
from muster_server.errors import Conflict
from muster_server.store.claims import CLAIM_LIFE_S, DISPLACED, Claim
from muster_server.store.config import Records


def make_room(records: Records, claims: list[Claim], newcomer: str, now: float) -> None:
    """End the newest claim of whoever has most of these, the newcomer's own included.

    Of one owner's, the first to end is one that no device has answered to and whose bundle is not
    being carried. One whose bundle is carried expires instead: so it ends only if its device is
    not at work already. Conflict if only claims are left that devices answer to.
    """
    held = Counter(claim.owner for claim in claims)
    held[newcomer] += 1
    most = max(held[claim.owner] for claim in claims)
    candidates = [
        claim
        for claim in claims
        if held[claim.owner] == most
        and (claim.seen_at is None or _is_rival(claim, newcomer, most))
    ]
    if not candidates:
        raise Conflict(
            f"devices with {MOST_CLAIMS} different secrets answer to this id; was it printed on "
            "more than one label?"
        )
    idle = {claim.id for claim in candidates if not accounts_given(records, claim)}
    displaced = max(candidates, key=lambda c: (c.seen_at is None, c.id in idle, c.created_at))
    records.add_event(displaced, now, "claim_displaced", "too many claims")
    if displaced.id in idle:
        _bury(records, displaced, now)
    else:
        records.put_claim(replace(displaced, status=DISPLACED, expires_at=now))


def _is_rival(claim: Claim, newcomer: str, most: int) -> bool:
    """Tell whether a claim may end though somebody answers to it: whoever claims an id several
    times can answer to all of them himself.
    """
    return claim.owner != newcomer and most > 1


def end_claim(records: Records, claim: Claim, now: float) -> None:
    """End a claim that nobody proved. Of one that had to make room, its owner keeps the news."""
    if claim.status == DISPLACED and claim.state != DISPLACED:
        _bury(records, claim, now)
    else:
        drop_claim(records, claim, now)


def forget_buried(records: Records, claims: list[Claim], owner: str) -> None:
    """The owner claims the id of these anew: what was kept of a displaced claim goes."""
    for claim in claims:
        if claim.state == DISPLACED and claim.owner == owner:
            records.remove_claim(claim.id)


def _bury(records: Records, claim: Claim, now: float) -> None:
    """Keep of the claim what its owner needs to hear of its end: neither secret nor account."""
    close_accounts(records, claim, now)
    records.note(claim, now, "claim_dropped")
    forget_buried(records, records.claims_of(claim.device_id), claim.owner)
    records.remove_claim(claim.id)
    until = now + CLAIM_LIFE_S
    kept = replace(claim, state=DISPLACED, status=DISPLACED, secret=b"", expires_at=until)
    records.put_claim(replace(window.closed(kept), asked=None, adoption=None))
    buried = [c for c in records.claims_of(claim.device_id) if c.state == DISPLACED]
    for oldest in buried[:-MOST_CLAIMS]:
        records.remove_claim(oldest.id)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The end of an ownership: what becomes of the claim, and what the device knew of its owner."""

from dataclasses import replace
from typing import Any

from muster_server import ssids
from muster_server.config_server.proof import (
    account_of,
    accounts_given,
    close_accounts,
    drop_claim,
    versions_given,
)
from muster_server.config_server.recognition import MOST_RELEASED
from muster_server.store.claims import Claim
from muster_server.store.config import Records


def end_ownership(records: Records, claim: Claim, now: float) -> None:
    """Close the device's account, and keep what is needed to tell the device to forget."""
    records.note(claim, now, "released", source="portal")
    if not accounts_given(records, claim):
        drop_claim(records, claim, now)
        return
    close_accounts(records, claim, now)
    records.put_claim(replace(claim, state="released", status="released", expires_at=None))
    records.leave_profile(claim.id)
    records.groups.forget(claim.owner, claim.device_id)
    _forget_older(records, claim.device_id, now)


def left_behind(records: Records, claim: Claim) -> dict[str, Any]:
    """Return what the device knew; no secret is in it. `networks` are those whose passwords it
    was given.
    """
    given = versions_given(records, claim)
    known = [ssids.name_of(n) for v in given for n in v.document["networks"] if n["psk"]]
    accounts = [account_of(version) for version in given]
    return {
        "device_id": claim.device_id,
        "name": claim.name,
        "profile": claim.profile,
        "networks": list(dict.fromkeys(known)),
        "accounts": [
            {"platform": url, "originator": originator}
            for url, originator in dict.fromkeys(accounts)
        ],
    }


def _forget_older(records: Records, device_id: str, now: float) -> None:
    """Released claims are kept to tell their device to forget; of too many, the oldest go."""
    released = [claim for claim in records.claims_of(device_id) if claim.state == "released"]
    for claim in released[:-MOST_RELEASED]:
        drop_claim(records, claim, now)

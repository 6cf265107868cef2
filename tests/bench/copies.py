# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fleets for benches: copies of a few devices that have onboarded, written into the database."""

from collections.abc import Sequence
from dataclasses import replace

from muster_server.store.config import ConfigStore

_TOGETHER = 2000


def device_id(number: int) -> str:
    """Return the id of a copy, e.g. "F-0000007"."""
    return f"F-{number:07d}"


def copy_devices(store: ConfigStore, model_ids: Sequence[str], count: int) -> None:
    """Add so many devices; number n is as the model n modulo their number is.

    What is sealed is bound to its claim's id, so each copy is sealed anew.
    """
    with store.reading() as records:
        claims = [records.claims_of(model)[0] for model in model_ids]
        versions = [records.versions_of(claim.id) for claim in claims]
    for start in range(0, count, _TOGETHER):
        with store.transaction() as records:
            for n in range(start, min(count, start + _TOGETHER)):
                which, id_ = n % len(claims), f"{n:032x}"
                records.put_claim(
                    replace(claims[which], id=id_, device_id=device_id(n), name=f"device {n}")
                )
                for version in versions[which]:
                    records.put_version(replace(version, claim_id=id_))

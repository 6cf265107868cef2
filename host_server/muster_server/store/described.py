# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Devices as their platforms are told of them, several in one question. No secret is in it but the
originator, and what the configuration has.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from muster_server.store.claims import ENDED, Version
from muster_server.store.rollouts import number_of
from muster_server.store.sql import marks

_VERSION = tuple(Version.__dataclass_fields__)
_OF_CLAIM = ("id", "device_id", "profile", "facts")
_TOLD_FOR = (
    "SELECT t.claim_id FROM told_object t WHERE t.url = ? AND t.device_id = claim.device_id"
)
_IS_CHANGED = "EXISTS (SELECT 1 FROM device_change d WHERE d.claim_id = claim.id)"
_ALL = ", ".join(
    (
        *(f"claim.{name}" for name in _OF_CLAIM),
        f"({_TOLD_FOR})",
        f"CASE WHEN {_IS_CHANGED} THEN 1 ELSE 0 END",
        f"({number_of('claim.id', 'claim.profile')} LIMIT 1)",
        *(f"version.{name}" for name in _VERSION),
    )
)
_ENDED = ", ".join(f"'{state}'" for state in ENDED)
_DESCRIBED = (
    f"SELECT {_ALL} FROM claim JOIN version ON version.claim_id = claim.id"  # noqa: S608
    " AND version.number = claim.version"
    f" WHERE claim.version > 0 AND claim.state NOT IN ({_ENDED})"
)


@dataclass(frozen=True)
class Described:
    """The claim of a device that runs a version, as far as its platform is told of it."""

    id: str
    device_id: str
    profile: str
    facts: dict[str, Any] | None
    told_for: str | None  # the claim of the device of which the platform was told last
    is_changed: bool  # by somebody at the platform
    number: int | None  # of the profile's version that a roll-out has brought to it
    version: Version


def question(url: str, claim_ids: Collection[str]) -> tuple[str, list[Any]]:
    """Return the statement that finds these with their versions, and its values."""
    return f"{_DESCRIBED} AND claim.id IN ({marks(claim_ids)})", [url, *claim_ids]

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts the devices of a roll-out into its waves, and tells how one of them does."""

from collections.abc import Sequence
from dataclasses import replace
from random import SystemRandom
from typing import Any

from muster_server.config_server.standing import failed_attempt
from muster_server.errors import Conflict
from muster_server.store.claims import Claim
from muster_server.store.config import Records
from muster_server.store.rollouts import Member

# Of a device that was not given anything, since no configuration can be made for it.
_PROFILE_AT_FAULT = "config_invalid"


def check_groups(found: Sequence[tuple[str, str, str]], waves: Sequence[dict[str, Any]]) -> None:
    """Conflict if a wave names a group in which none of these claims is."""
    groups = {group for _, _, group in found}
    for wave in waves:
        if "group" in wave and wave["group"] not in groups:
            raise Conflict(f'none of these devices is in the group "{wave["group"]}"')


def in_waves(
    found: Sequence[tuple[str, str, str]], waves: Sequence[dict[str, Any]]
) -> tuple[list[Member], list[dict[str, Any]]]:
    """The claims, given with their devices' ids and groups, in their waves, and the waves that are
    not empty. Which of them come first is left to chance, but for groups.
    """
    left = list(found)
    SystemRandom().shuffle(left)
    members: list[Member] = []
    used: list[dict[str, Any]] = []
    for wave in [*waves, {}]:
        chosen = _chosen(left, wave, len(found))
        if not chosen:
            continue
        used.append(wave)
        members += [Member(claim, len(used), device_id=device) for claim, device, _ in chosen]
        taken = {one[0] for one in chosen}
        left = [one for one in left if one[0] not in taken]
    return members, used


def offered(records: Records, member: Member) -> Member:
    """The device, now that the version is offered to it: what it fails from now on counts."""
    claim = records.claim(member.claim_id)
    if claim is None:
        return member
    above, seen_at = max(claim.highest, claim.version), claim.seen_at or 0.0
    if member.above:  # it was offered before, and held back: a failure since then counts
        above = member.above
    return replace(member, state="offered", above=above, seen_at=seen_at)


def failure_of(claim: Claim, member: Member) -> dict[str, Any] | None:
    """Return how the device has failed with what it was offered, in the words of `attempt`; None:
    it has not. It is kept: a device that came home works, and tells of the failure no more.
    """
    last = claim.last
    if last is None or last["code"] == "ok":
        return None
    if last["config"] == 0:
        if last["code"] != _PROFILE_AT_FAULT:
            return None
    elif claim.status != "failed" or int(last["config"]) <= member.above:
        return None
    return failed_attempt(claim, last)


def _chosen(
    left: list[tuple[str, str, str]], wave: dict[str, Any], total: int
) -> list[tuple[str, str, str]]:
    if "group" in wave:
        return [one for one in left if one[2] == wave["group"]]
    if "percent" in wave:
        return left[: max(1, round(total * wave["percent"] / 100))]
    return left[: wave["number"]] if "number" in wave else left

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts the devices of a roll-out into its waves."""

from collections.abc import Sequence
from random import SystemRandom
from typing import Any

from muster_server.errors import Conflict
from muster_server.store.rollouts import Member


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


def _chosen(
    left: list[tuple[str, str, str]], wave: dict[str, Any], total: int
) -> list[tuple[str, str, str]]:
    if "group" in wave:
        return [one for one in left if one[2] == wave["group"]]
    if "percent" in wave:
        return left[: max(1, round(total * wave["percent"] / 100))]
    return left[: wave["number"]] if "number" in wave else left

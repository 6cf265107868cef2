# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changes of an owner to a device that is registered: alone, or of many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from muster_server.config_server import device_changes, groups
from muster_server.config_server.device_view import existing
from muster_server.errors import Conflict, NotFound
from muster_server.store.claims import DISPLACED, Claim
from muster_server.store.config import Records


@dataclass(frozen=True)
class Change:
    """New values, checked; None: as it is."""

    profile: str | None = None
    name: str | None = None
    group: str | None = None
    tags: Sequence[str] | None = None
    added_tags: Sequence[str] = ()
    removed_tags: Sequence[str] = ()


def checked_change(
    profile: str | None = None,
    name: str | None = None,
    group: str | None = None,
    tags: Sequence[str] | None = None,
    added_tags: Sequence[str] = (),
    removed_tags: Sequence[str] = (),
) -> Change:
    """The change; Invalid for a group or a tag that cannot be one."""
    return Change(
        profile,
        name,
        None if group is None else groups.checked_group(group),
        None if tags is None else groups.checked_tags(tags),
        groups.checked_tags(added_tags),
        groups.checked_tags(removed_tags),
    )


def changed(
    records: Records, owner: str, device_id: str, new: Change, now: float
) -> tuple[Claim, bool]:
    """The owner's claim with the change made, and whether its device gets another configuration.

    Raises NotFound (device, profile), Conflict or Invalid.
    """
    claim = existing(records, device_id, owner)
    check_is_held(claim)
    if new.profile is not None and records.profile(new.profile) is None:
        raise NotFound(f'there is no profile named "{new.profile}"; make it first')
    groups.mark(
        *(records, owner, device_id, new.group, new.tags),
        added=new.added_tags,
        removed=new.removed_tags,
    )
    after = replace(claim, name=claim.name if new.name is None else new.name)
    if new.profile is not None:
        after = moved(records, after, new.profile)
    if after != claim:
        records.put_claim(after)
        device_changes.end_replaced(records, after, now)
        records.note(after, now, "changed", source="portal", detail=f'profile "{after.profile}"')
    return after, after != claim


def moved(records: Records, claim: Claim, profile: str) -> Claim:
    """The claim with this profile. Of another one than before, it has proved nothing yet."""
    if claim.profile == profile:
        return claim
    records.leave_profile(claim.id)
    return replace(claim, profile=profile, runs=None)


def check_is_held(claim: Claim) -> None:
    """Conflict if the claim had to make room for others."""
    if claim.state == DISPLACED:
        raise Conflict(
            "others have registered this device id as well, and this registration had to make "
            "room; register the label again"
        )

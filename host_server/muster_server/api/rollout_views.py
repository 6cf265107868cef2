# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers of the portal about profile versions, roll-outs and passwords, for its document."""

from typing import Annotated, Any, Literal

from pydantic import Field

from muster_server.api.views import Attempt, DeviceEntry, UnixTime, View

MemberState = Literal["waiting", "offered", "held", "succeeded", "failed"]


class VersionEntry(View):
    """A version of a profile."""

    number: int
    made_at: UnixTime
    is_current: Annotated[bool, Field(description="in force")]
    same_as: Annotated[
        int | None, Field(description="an earlier one that makes the same configurations")
    ]
    devices: Annotated[int, Field(description="that have proved it")]


class ProfileVersions(View):
    """The newest first."""

    name: str
    current: int
    versions: list[VersionEntry]
    devices: Annotated[int, Field(description="that are configured from the profile")]
    behind: Annotated[int, Field(description="of those, without the version in force")]
    rollout: Annotated[str | None, Field(description="the id of one that is under way")]


class KeptVersion(View):
    """A version that was kept, or put in force."""

    name: str
    number: int


class Change(View):
    """A field that differs. `is_hidden`: its values are not told."""

    path: Annotated[str, Field(examples=["networks[0].psk"])]
    is_hidden: bool
    before: Any
    after: Any


class Difference(View):
    """The fields that differ between two versions."""

    name: str
    old: int
    new: int
    changes: list[Change]


class Preview(View):
    """The configuration of one device, with `hidden` for each secret."""

    name: str
    number: int
    device_id: str
    config: dict[str, Any]


class Passwords(View):
    """Networks that are there with two passwords."""

    name: str
    changing: list[str]
    behind: Annotated[int, Field(description="devices that have not got both yet")]


class WaveView(View):
    """A wave, and its devices by state. Without `percent`, `number` and `group`: the rest."""

    percent: int | None
    number: int | None
    group: str | None
    total: int
    states: Annotated[dict[str, int], Field(examples=[{"succeeded": 9, "failed": 1}])]


class Rollout(View):
    """The progress of a roll-out. `waiting`: the next wave is begun by hand."""

    id: str
    profile: str
    number: int
    before: Annotated[int, Field(description="the version in force")]
    state: Literal["filling", "running", "waiting", "stopped", "done", "aborted"]
    reason: Annotated[str, Field(description="of a stop: `failures` or `hand`")]
    wave: Annotated[int, Field(description="that is under way, from 1 on")]
    waves: list[WaveView]
    is_automatic: bool
    most_failed: int
    need_percent: int
    failed: int
    forgiven: Annotated[int, Field(description="failures before the last time it went on")]
    by: str
    created_at: UnixTime
    changed_at: UnixTime


class Rollouts(View):
    """The newest first."""

    rollouts: list[Rollout]


class Member(DeviceEntry):
    """A device of a roll-out."""

    wave: int
    rollout: MemberState
    failure: Annotated[
        Attempt | None, Field(description="with what it was offered; it may have come home since")
    ]


class Members(View):
    """In the order of their ids."""

    devices: list[Member]
    next: str | None

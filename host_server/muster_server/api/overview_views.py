# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers about an owner's devices at a glance."""

from typing import Annotated

from pydantic import Field

from muster_server.api.views import View


class StepTally(View):
    """The ends of one step."""

    step: Annotated[int, Field(ge=1, le=9)]
    ok: Annotated[int, Field(description="how often it succeeded")]
    failed: int
    median_ms: Annotated[
        int | None,
        Field(description="about how long the middle one of the successes took: within a third"),
    ]


class DayTally(View):
    """The steps on one day."""

    day: Annotated[str, Field(description="UTC", examples=["2026-11-24"])]
    steps: Annotated[list[StepTally], Field(description="empty: nothing happened")]


class SilentDevice(View):
    """A device at work that has said nothing for long."""

    device_id: str
    name: str
    last_heard: Annotated[float, Field(description="Unix seconds")]


class Silent(View):
    """Devices at work that have said nothing for a day."""

    devices: Annotated[int, Field(description="how many")]
    since: Annotated[float, Field(description="nothing after this; Unix seconds")]
    longest: Annotated[list[SilentDevice], Field(description="20 of them, the longest first")]


class Overview(View):
    """An owner's devices at a glance, and how onboarding went in the last 30 days."""

    devices: int
    states: Annotated[dict[str, int], Field(description="how many in each state")]
    silent: Silent
    codes: Annotated[
        dict[str, int], Field(description="how often steps failed, by outcome code, most first")
    ]
    steps: Annotated[list[StepTally], Field(description="3 to 9: what devices tell of")]
    days: Annotated[list[DayTally], Field(description="the oldest first, today last")]

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Parameters in the query part of the APIs' addresses."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from muster_server.api import bounds
from muster_server.api.bodies import number, text

State = Literal[
    "prepared", "waiting", "handed_out", "applied", "registered", "failed", "displaced"
]
Who = Literal["you", "device", "platform", "nothing"]
Order = Literal["id", "name", "heard"]


class WantedReadings(BaseModel):
    """Paging of a device's readings."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    after: Annotated[
        str | None, text(bounds.READING_ID, description="only those after the one of this id")
    ] = None
    limit: Annotated[int, number(bounds.READINGS)] = 100


class WantedDevices(BaseModel):
    """Filters and paging of a list of devices."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    after: Annotated[
        str, text(bounds.PLACE, description="go on after this: an id, or what `next` said")
    ] = ""
    limit: Annotated[int, number(bounds.PAGE)] = 100
    sort: Annotated[
        Order, Field(description="`heard`: those that were heard of last come first")
    ] = "id"
    state: State | None = None
    attempt: Annotated[
        str | None, text(bounds.CODE, description="an outcome code, `under_way`, or `none`")
    ] = None
    waiting_for: Who | None = None
    profile: Annotated[str | None, text(bounds.PROFILE_NAME)] = None
    group: Annotated[str | None, text((1, bounds.GROUP[1]))] = None
    tag: Annotated[str | None, text(bounds.TAG_NAME)] = None
    behind: Annotated[
        bool, Field(description="with `profile`: only those without its version in force")
    ] = False
    search: Annotated[str | None, text(bounds.SEARCH, description="a part of id or name")] = None
    silent_since: Annotated[
        float | None, Field(ge=0, description="not heard of after this (Unix seconds)")
    ] = None


class WantedRows(BaseModel):
    """Paging of a task's rows."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    after: Annotated[int, number((0, bounds.HIGHEST), description="go on after this row")] = 0
    limit: Annotated[int, number(bounds.PAGE)] = 100
    verdict: Literal["added", "known", "changed", "refused"] | None = None

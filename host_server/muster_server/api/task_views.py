# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers of the portal that are about tasks, for its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field

from muster_server.api.views import UnixTime, View


class TaskArguments(View):
    """The change that a task makes."""

    profile: Annotated[str, Field(default_factory=str)]
    group: Annotated[str, Field(default_factory=str)]
    added_tags: Annotated[list[str], Field(default_factory=list)]
    removed_tags: Annotated[list[str], Field(default_factory=list)]


class Task(View):
    """The progress of something that is done to many devices. `looked`: all rows were tried, and
    nothing is kept yet; labels of a task that nobody goes on with are forgotten after an hour.
    """

    id: str
    kind: Literal["claim", "change"]
    state: Literal["filling", "looking", "looked", "running", "done", "expired"]
    arguments: TaskArguments
    by: Annotated[str, Field(description="who began it")]
    created_at: UnixTime
    changed_at: UnixTime
    total: Annotated[int, Field(description="rows")]
    done: Annotated[int, Field(description="of those, with a verdict")]
    verdicts: Annotated[dict[str, int], Field(examples=[{"added": 198, "refused": 2}])]


class Tasks(View):
    """The newest first."""

    tasks: list[Task]


class TaskRow(View):
    """The verdict on a row; empty: none yet."""

    row: Annotated[int, Field(description="a table's line, or the number of the device")]
    device_id: str | None
    name: str
    verdict: Literal["", "added", "known", "changed", "refused"]
    detail: str


class TaskRows(View):
    """In the order of the rows."""

    rows: list[TaskRow]
    next: Annotated[
        int | None, Field(description="ask again with ?after= this; null: there are no more")
    ]

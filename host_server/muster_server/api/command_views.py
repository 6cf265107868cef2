# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers about commands to devices."""

from typing import Annotated, Any, Literal

from pydantic import Field

from muster_server.api.views import View


class Command(View):
    """A command, and how far it has come."""

    device_id: str
    id: Annotated[str, Field(description="to ask for its result")]
    state: Annotated[
        Literal["waiting", "done", "failed", "gone"],
        Field(
            description="`done`, `failed`: the device's application says so; `gone`: it expired, "
            "or nobody keeps its result any more"
        ),
    ]
    result: Annotated[Any, Field(description="any JSON: what the application answered")]
    expires_at: Annotated[
        float | None, Field(description="while it waits: the device is not told after that")
    ]

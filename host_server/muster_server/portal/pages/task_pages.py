# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The page of a task: how far it has come, the verdict on each row, and what is next."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from muster_server.api.bounds import HIGHEST
from muster_server.api.queries import WantedRows
from muster_server.portal import tasks
from muster_server.portal.pages.ground import Ground, go
from muster_server.portal.pages.sessions import Changing, Reading

_A_PAGE = 100
_VERDICTS = ("refused", "added", "known", "changed")


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    @pages.get("/tasks/{task_id}")
    def show_task(
        request: Request,
        task_id: str,
        visitor: Reading,
        verdict: Annotated[str, Query(max_length=16)] = "",
        after: Annotated[int, Query(ge=0, le=HIGHEST)] = 0,
    ) -> Response:
        owner = visitor.caller.owner
        task = tasks.shown(ground.portal, task_id, owner)
        only = verdict if verdict in _VERDICTS else None
        wanted = WantedRows(after=after, limit=_A_PAGE, verdict=only)  # type: ignore[arg-type]
        rows = tasks.rows(ground.portal, task_id, owner, wanted)
        return ground.page(request, "task.html", task=task, rows=rows, only=only, after=after)

    @pages.get("/tasks/{task_id}/verdicts.csv")
    def verdicts(task_id: str, visitor: Reading) -> Response:
        owner = visitor.caller.owner
        tasks.shown(ground.portal, task_id, owner)
        name = {"Content-Disposition": 'attachment; filename="verdicts.csv"'}
        return StreamingResponse(
            tasks.as_csv(ground.portal, task_id, owner), 200, name, "text/csv"
        )

    @pages.post("/tasks/{task_id}/start")
    def start_task(task_id: str, visitor: Changing) -> Response:
        tasks.start(ground.portal, task_id, visitor.caller.owner)
        return go(f"/tasks/{task_id}")

    @pages.post("/tasks/{task_id}/end")
    def end_task(task_id: str, visitor: Changing) -> Response:
        tasks.give_up(ground.portal, task_id, visitor.caller.owner)
        return go("/many")

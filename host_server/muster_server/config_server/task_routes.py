# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of tasks, for the portal."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from muster_server.api import bodies, queries
from muster_server.api.reading import read_body
from muster_server.config_server.tasks import TaskService
from muster_server.store.tasks import DONE, NEW, TaskRow
from muster_server.web import body_within, json_response

_LIMIT_BYTES = 1024 * 1024
Body = Annotated[bytes, Depends(body_within(_LIMIT_BYTES))]


def add_tasks(app: FastAPI, tasks: TaskService, guard: Any) -> None:
    """The routes."""

    @app.post("/v1/tasks", dependencies=[guard])
    def begin(body: Body, owner: str) -> Response:
        new = read_body(bodies.BegunTask, body)
        arguments = {
            name: value
            for name, value in new.model_dump(exclude={"kind", "by"}).items()
            if value is not None and value != []
        }
        return json_response(tasks.begin(new.kind, owner, arguments, new.by), 201)

    @app.get("/v1/tasks", dependencies=[guard])
    def listed(owner: str) -> Response:
        return json_response({"tasks": tasks.listed(owner)})

    @app.get("/v1/tasks/{task_id}", dependencies=[guard])
    def show(task_id: str, owner: str) -> Response:
        return json_response(tasks.shown(task_id, owner))

    @app.post("/v1/tasks/{task_id}/rows", dependencies=[guard])
    def add_rows(task_id: str, owner: str, body: Body) -> Response:
        rows = [_row(row) for row in read_body(bodies.TaskRows, body).rows]
        tasks.add_rows(task_id, owner, rows)
        return Response(status_code=204)

    @app.get("/v1/tasks/{task_id}/rows", dependencies=[guard])
    def rows(task_id: str, owner: str, wanted: Annotated[queries.WantedRows, Query()]) -> Response:
        about = wanted.after, wanted.limit, wanted.verdict
        return json_response(tasks.rows(task_id, owner, *about))

    @app.post("/v1/tasks/{task_id}/start", dependencies=[guard])
    def start(task_id: str, owner: str, body: Body) -> Response:
        is_trial = read_body(bodies.StartedTask, body or b"{}").trial
        return json_response(tasks.start(task_id, owner, is_trial=is_trial))

    @app.delete("/v1/tasks/{task_id}", dependencies=[guard])
    def give_up(task_id: str, owner: str) -> Response:
        tasks.give_up(task_id, owner)
        return Response(status_code=204)


def _row(row: bodies.TaskRow) -> TaskRow:
    # One that was refused when it was read is not looked at again.
    stage = NEW if not row.verdict else DONE
    return TaskRow(
        row.row, stage, row.device_id, row.name, row.label, row.verdict or "", row.detail
    )

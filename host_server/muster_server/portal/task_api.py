# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of tasks: many devices at once, with progress and a verdict for each."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import Response

from muster_server.api import bodies, bounds, queries, task_views
from muster_server.api.description import Description
from muster_server.api.reading import read_body
from muster_server.portal import tasks
from muster_server.portal.access import Asking, Owner
from muster_server.portal.service import Portal
from muster_server.web import body_within, json_response

# A table with every quotation mark of it escaped.
Body = Annotated[bytes, Depends(body_within(2 * bounds.CSV_BYTES))]


def add_tasks(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    """The routes."""
    shown = described.of(task_views.Task)
    claims = described.of(task_views.Task, bodies.NewClaims, 201)

    @app.post("/v1/bulk/claims", dependencies=guard, **claims)
    def try_claims(request: Request, body: Body, caller: Asking) -> Response:
        """Try a table of labels; nothing is kept until the task is started."""
        new = read_body(bodies.NewClaims, body)
        task = tasks.begin_claims(portal, new.csv, new.profile, caller)
        request.state.about = task["id"]
        return json_response(task, 201)

    changes = described.of(task_views.Task, bodies.NewChanges, 201)

    @app.post("/v1/bulk/changes", dependencies=guard, **changes)
    def change_many(request: Request, body: Body, caller: Asking) -> Response:
        """Give many devices another profile or group, or other tags."""
        new = read_body(bodies.NewChanges, body)
        change = bodies.NewChange(**new.model_dump(exclude={"devices"}))
        task = tasks.begin_change(portal, new.devices, change, caller)
        request.state.about = task["id"]
        return json_response(task, 201)

    @app.get("/v1/tasks", dependencies=guard, **described.of(task_views.Tasks))
    def list_tasks(owner: Owner) -> Response:
        """The newest tasks."""
        return json_response({"tasks": tasks.listed(portal, owner)})

    @app.get("/v1/tasks/{task_id}", dependencies=guard, **shown)
    def show_task(task_id: str, owner: Owner) -> Response:
        """Return how far a task has come."""
        return json_response(tasks.shown(portal, task_id, owner))

    @app.get("/v1/tasks/{task_id}/rows", dependencies=guard, **described.of(task_views.TaskRows))
    def list_rows(
        task_id: str, owner: Owner, wanted: Annotated[queries.WantedRows, Query()]
    ) -> Response:
        """Verdicts in the order of the rows, all of them or those that are asked for."""
        return json_response(tasks.rows(portal, task_id, owner, wanted))

    @app.post("/v1/tasks/{task_id}/start", dependencies=guard, **shown)
    def start_task(task_id: str, owner: Owner) -> Response:
        """Do what was tried."""
        return json_response(tasks.start(portal, task_id, owner))

    @app.delete("/v1/tasks/{task_id}", dependencies=guard, **described.of(status=204))
    def end_task(task_id: str, owner: Owner) -> Response:
        """Forget a task; what it has done stays."""
        tasks.give_up(portal, task_id, owner)
        return Response(status_code=204)

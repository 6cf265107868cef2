# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of profile versions, roll-outs and changes of passwords, for the portal."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from muster_server.api import rollout_bodies as bodies
from muster_server.api.reading import read_body
from muster_server.config_server.password_change import PasswordChange
from muster_server.config_server.profile_history import ProfileHistory
from muster_server.config_server.rollouts import RolloutService
from muster_server.document import parse_json
from muster_server.web import body_within, json_response

Body = Annotated[bytes, Depends(body_within(256 * 1024))]


def add_versions(
    app: FastAPI, history: ProfileHistory, passwords: PasswordChange, guard: Any
) -> None:
    """The routes of versions and passwords."""

    @app.get("/v1/profiles/{name}/versions", dependencies=[guard])
    def versions(name: str, owner: str) -> Response:
        return json_response(history.listed(name, owner))

    @app.post("/v1/profiles/{name}/versions", dependencies=[guard])
    def draft(name: str, body: Body) -> Response:
        return json_response(history.draft(name, parse_json(body)), 201)

    @app.get("/v1/profiles/{name}/difference", dependencies=[guard])
    def difference(name: str, wanted: Annotated[bodies.WantedDifference, Query()]) -> Response:
        return json_response(history.difference(name, wanted.old, wanted.new))

    @app.get("/v1/profiles/{name}/versions/{number}/preview", dependencies=[guard])
    def preview(name: str, number: int, device_id: str, owner: str) -> Response:
        return json_response(history.preview(name, number, device_id, owner))

    @app.post("/v1/profiles/{name}/versions/{number}/use", dependencies=[guard])
    def use(name: str, number: int) -> Response:
        return json_response(history.use(name, number))

    @app.get("/v1/profiles/{name}/passwords", dependencies=[guard])
    def changing(name: str, owner: str) -> Response:
        return json_response(passwords.shown(name, owner))

    @app.post("/v1/profiles/{name}/passwords", dependencies=[guard])
    def begin_change(name: str, body: Body) -> Response:
        new = read_body(bodies.NewPassword, body)
        made = passwords.begin(name, new.ssid, new.psk, is_draft=new.draft)
        return json_response(made, 201)

    @app.post("/v1/profiles/{name}/passwords/end", dependencies=[guard])
    def end_change(name: str, owner: str, body: Body) -> Response:
        end = read_body(bodies.EndedChange, body)
        is_new = end.keep == "new"
        about = {"keeps_new": is_new, "is_confirmed": end.confirmed}
        return json_response(passwords.end(name, owner, end.ssid, **about))


def add_rollouts(app: FastAPI, rollouts: RolloutService, guard: Any) -> None:
    """The routes of roll-outs."""

    @app.post("/v1/rollouts", dependencies=[guard])
    def begin(body: Body, owner: str, by: str) -> Response:
        new = read_body(bodies.NewRollout, body)
        shown = rollouts.begin(
            new.profile,
            new.number,
            owner,
            [wave.model_dump(exclude_none=True) for wave in new.waves],
            by,
            is_automatic=new.automatic,
            most_failed=new.most_failed,
            need_percent=new.need_percent,
        )
        return json_response(shown, 201)

    @app.get("/v1/rollouts", dependencies=[guard])
    def listed(owner: str) -> Response:
        return json_response({"rollouts": rollouts.listed(owner)})

    @app.get("/v1/rollouts/{rollout_id}", dependencies=[guard])
    def show(rollout_id: str, owner: str) -> Response:
        return json_response(rollouts.shown(rollout_id, owner))

    @app.get("/v1/rollouts/{rollout_id}/devices", dependencies=[guard])
    def devices(
        rollout_id: str, owner: str, wanted: Annotated[bodies.WantedMembers, Query()]
    ) -> Response:
        about = wanted.state, wanted.after, wanted.limit
        return json_response(rollouts.devices(rollout_id, owner, *about))

    deeds = {
        "go-on": rollouts.go_on,
        "stop": rollouts.stop,
        "abort": rollouts.abort,
        "finish": rollouts.finish,
    }

    @app.post("/v1/rollouts/{rollout_id}/{deed}", dependencies=[guard])
    def do(rollout_id: str, deed: bodies.Deed, owner: str) -> Response:
        return json_response(deeds[deed](rollout_id, owner))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of profile versions, roll-outs in waves, and changes of Wi-Fi passwords."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import Response

from muster_server.api import profiles, rollout_views
from muster_server.api import rollout_bodies as bodies
from muster_server.api.description import Description
from muster_server.api.reading import read_body
from muster_server.document import parse_json
from muster_server.portal import rollouts
from muster_server.portal.access import Asking, Owner
from muster_server.portal.service import Portal
from muster_server.web import body_within, json_response

Body = Annotated[bytes, Depends(body_within(256 * 1024))]


def add_rollouts(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    """The routes."""
    _add_versions(app, portal, guard, described)
    _add_passwords(app, portal, guard, described)
    _add_waves(app, portal, guard, described)


def _add_versions(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    listed = described.of(rollout_views.ProfileVersions)
    kept = described.of(rollout_views.KeptVersion)
    drafted = described.of(rollout_views.KeptVersion, profiles.ChangedProfile, 201)

    @app.get("/v1/profiles/{name}/versions", dependencies=guard, **listed)
    def list_versions(name: str, owner: Owner) -> Response:
        """All versions of a profile, with how many devices run each."""
        return json_response(rollouts.versions(portal, name, owner))

    @app.post("/v1/profiles/{name}/versions", dependencies=guard, **drafted)
    def draft_version(name: str, body: Body) -> Response:
        """Keep a version that is in force for nobody, to be rolled out."""
        return json_response(rollouts.draft(portal, name, parse_json(body)), 201)

    different = described.of(rollout_views.Difference)

    @app.get("/v1/profiles/{name}/difference", dependencies=guard, **different)
    def compare_versions(
        name: str, wanted: Annotated[bodies.WantedDifference, Query()]
    ) -> Response:
        """Return what differs between two versions; of secrets, that they differ."""
        return json_response(rollouts.difference(portal, name, wanted))

    previewed = described.of(rollout_views.Preview)
    path = "/v1/profiles/{name}/versions/{number}/preview"

    @app.get(path, dependencies=guard, **previewed)
    def preview_version(name: str, number: int, device_id: str, owner: Owner) -> Response:
        """Return what one device would get, without secrets."""
        return json_response(rollouts.preview(portal, name, number, device_id, owner))

    @app.post("/v1/profiles/{name}/versions/{number}/use", dependencies=guard, **kept)
    def use_version(name: str, number: int) -> Response:
        """Put a version in force for all devices at once."""
        return json_response(rollouts.use(portal, name, number))


def _add_passwords(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    shown = described.of(rollout_views.Passwords)
    begun = described.of(rollout_views.KeptVersion, bodies.NewPassword, 201)
    ended = described.of(rollout_views.KeptVersion, bodies.EndedChange)

    @app.get("/v1/profiles/{name}/passwords", dependencies=guard, **shown)
    def show_passwords(name: str, owner: Owner) -> Response:
        """Return whose passwords are changing, and how many devices have not both yet."""
        return json_response(rollouts.passwords(portal, name, owner))

    @app.post("/v1/profiles/{name}/passwords", dependencies=guard, **begun)
    def begin_password(name: str, body: Body) -> Response:
        """Give devices a network's new password beside the old one."""
        new = read_body(bodies.NewPassword, body)
        return json_response(rollouts.begin_password(portal, name, new), 201)

    @app.post("/v1/profiles/{name}/passwords/end", dependencies=guard, **ended)
    def end_password(name: str, body: Body, owner: Owner) -> Response:
        """Retire the old password, or take the new one back."""
        end = read_body(bodies.EndedChange, body)
        return json_response(rollouts.end_password(portal, name, end, owner))


def _add_waves(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    shown = described.of(rollout_views.Rollout)
    begun = described.of(rollout_views.Rollout, bodies.NewRollout, 201)

    @app.post("/v1/rollouts", dependencies=guard, **begun)
    def begin_rollout(request: Request, body: Body, caller: Asking) -> Response:
        """Roll a version of a profile out, in waves."""
        rollout = rollouts.begin(portal, read_body(bodies.NewRollout, body), caller)
        request.state.about = rollout["id"]
        return json_response(rollout, 201)

    @app.get("/v1/rollouts", dependencies=guard, **described.of(rollout_views.Rollouts))
    def list_rollouts(owner: Owner) -> Response:
        """The newest roll-outs."""
        return json_response({"rollouts": rollouts.listed(portal, owner)})

    @app.get("/v1/rollouts/{rollout_id}", dependencies=guard, **shown)
    def show_rollout(rollout_id: str, owner: Owner) -> Response:
        """Return how far a roll-out has come."""
        return json_response(rollouts.shown(portal, rollout_id, owner))

    members = described.of(rollout_views.Members)

    @app.get("/v1/rollouts/{rollout_id}/devices", dependencies=guard, **members)
    def list_members(
        rollout_id: str, owner: Owner, wanted: Annotated[bodies.WantedMembers, Query()]
    ) -> Response:
        """Devices of a roll-out in the order of their ids, with how each is."""
        return json_response(rollouts.devices(portal, rollout_id, owner, wanted))

    for deed, words in _DEEDS.items():
        _add_deed(app, portal, deed, words, {"dependencies": guard, **shown})


_DEEDS = {
    "go-on": "Begin the next wave, or go on after a stop.",
    "stop": "Give it to no other device until somebody goes on.",
    "abort": "Give all devices the version before.",
    "finish": "Put the version in force for all devices now.",
}


def _add_deed(app: FastAPI, portal: Portal, deed: str, words: str, route: dict[str, Any]) -> None:
    def do(rollout_id: str, owner: Owner) -> Response:
        return json_response(rollouts.do(portal, rollout_id, deed, owner))

    name = f"{deed.replace('-', '_')}_rollout"
    path = "/v1/rollouts/{rollout_id}/" + deed
    app.post(path, name=name, description=words, operation_id=name, **route)(do)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Versions of profiles, roll-outs and changes of passwords, as the portal asks for them."""

from typing import Any
from urllib.parse import quote, urlencode

from muster_server.api.rollout_bodies import (
    EndedChange,
    NewPassword,
    NewRollout,
    WantedDifference,
    WantedMembers,
)
from muster_server.errors import NotFound
from muster_server.portal.access import Caller
from muster_server.portal.service import Portal, with_words
from muster_server.standing_words import of_attempt


def versions(portal: Portal, name: str, owner: str) -> dict[str, Any]:
    """Return a profile's versions, with how many of the owner's devices run each. NotFound."""
    return portal.ask("GET", _profile(name, f"/versions?owner={quote(owner)}"))


def draft(portal: Portal, name: str, document: object) -> dict[str, Any]:
    """Keep a version that is not in force. Raises NotFound, or Invalid for a wrong field."""
    return portal.ask("POST", _profile(name, "/versions"), document)


def difference(portal: Portal, name: str, wanted: WantedDifference) -> dict[str, Any]:
    """Return what differs between two versions, and of secrets that they differ. NotFound."""
    return portal.ask("GET", _profile(name, f"/difference?{urlencode(wanted.model_dump())}"))


def preview(portal: Portal, name: str, number: int, device_id: str, owner: str) -> dict[str, Any]:
    """Return the configuration that a device would get, without secrets. NotFound, Invalid."""
    query = urlencode({"device_id": device_id.strip().upper(), "owner": owner})
    return portal.ask("GET", _profile(name, f"/versions/{number}/preview?{query}"))


def use(portal: Portal, name: str, number: int) -> dict[str, Any]:
    """Put a version in force for all devices. Raises NotFound or Conflict."""
    return portal.ask("POST", _profile(name, f"/versions/{number}/use"))


def passwords(portal: Portal, name: str, owner: str) -> dict[str, Any]:
    """Return whose passwords are changing, and how many devices have not both. NotFound."""
    return portal.ask("GET", _profile(name, f"/passwords?owner={quote(owner)}"))


def begin_password(portal: Portal, name: str, new: NewPassword) -> dict[str, Any]:
    """Add a new password beside the old one. Raises NotFound, Conflict or Invalid."""
    return portal.ask("POST", _profile(name, "/passwords"), new.model_dump())


def end_password(portal: Portal, name: str, end: EndedChange, owner: str) -> dict[str, Any]:
    """Leave one password. Raises NotFound, or Conflict while some have not the new one."""
    path = _profile(name, f"/passwords/end?owner={quote(owner)}")
    return portal.ask("POST", path, end.model_dump())


def begin(portal: Portal, new: NewRollout, caller: Caller) -> dict[str, Any]:
    """Roll a version out. Raises NotFound or Conflict."""
    query = urlencode({"owner": caller.owner, "by": caller.name})
    return portal.ask("POST", f"/v1/rollouts?{query}", new.model_dump())


def listed(portal: Portal, owner: str) -> list[dict[str, Any]]:
    """The owner's roll-outs, the newest first."""
    found: list[dict[str, Any]] = portal.ask("GET", f"/v1/rollouts?owner={quote(owner)}")[
        "rollouts"
    ]
    return found


def shown(portal: Portal, rollout_id: str, owner: str) -> dict[str, Any]:
    """Return how far a roll-out has come. NotFound."""
    return portal.ask("GET", _at(rollout_id, owner))


def devices(portal: Portal, rollout_id: str, owner: str, wanted: WantedMembers) -> dict[str, Any]:
    """Return its devices, with a sentence for each, and for how it failed. NotFound."""
    query = urlencode(wanted.model_dump(exclude_none=True))
    page = portal.ask("GET", f"{_at(rollout_id, owner, '/devices')}&{query}")
    return {**page, "devices": [_member(device) for device in page["devices"]]}


def do(portal: Portal, rollout_id: str, deed: str, owner: str) -> dict[str, Any]:
    """One of `go-on`, `stop`, `abort`, `finish`. Raises NotFound or Conflict."""
    return portal.ask("POST", _at(rollout_id, owner, f"/{deed}"))


def _member(device: dict[str, Any]) -> dict[str, Any]:
    failure, platform = device["failure"], device["platform"] or ""
    if failure is not None:
        failure = {**failure, "sentence": of_attempt(failure, device["networks"], platform)}
    return {**with_words(device), "failure": failure}


def _profile(name: str, what: str) -> str:
    return f"/v1/profiles/{quote(name, safe='')}{what}"


def _at(rollout_id: str, owner: str, what: str = "") -> str:
    if not (rollout_id.isascii() and rollout_id.isalnum()):
        raise NotFound("there is no such roll-out")
    return f"/v1/rollouts/{rollout_id}{what}?owner={quote(owner)}"

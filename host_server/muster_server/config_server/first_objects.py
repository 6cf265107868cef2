# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Devices whose nodes are made at our own platform for the first time, several in one request.

Nothing was told there before, so there is nothing of others' to look for. Whatever is not so plain
(changes, editors, an object that is there and another) is not done here, and settled one by one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster_server.config_server import device_changes as changes
from muster_server.config_server.cse import CREATED
from muster_server.config_server.device_objects import (
    CHANGEABLE,
    Object,
    device_info,
    objects_of,
)
from muster_server.config_server.object_keepers import NODES
from muster_server.config_server.object_places import Place
from muster_server.config_server.readers import policy_for
from muster_server.service_client import PLATFORM_TIMEOUT_S
from muster_server.store.config import Records
from muster_server.store.described import Described
from muster_server.store.device_changes import Told

MOST = 16  # devices in one request

# What the profile says of each field, by its name and the number of its version.
Bases = dict[tuple[str, int | None], dict[str, str]]


@dataclass(frozen=True)
class Wanted:
    """A device as jobs want it told: described, or with all its objects, or both."""

    device_id: str
    owner: str
    originator: str | None = field(repr=False)  # None: that of the version that it runs
    facts: Mapping[str, Any] | None  # None: it is described already
    claim_id: str | None  # of the device whose objects are wanted
    jobs: tuple[int, ...]


@dataclass(frozen=True)
class First:
    """A node as it is to be made, and what is kept of it."""

    wanted: Wanted
    originator: str = field(repr=False)
    objects: list[Object]
    base: dict[str, str] | None  # None: it is only described

    def asked(self) -> dict[str, Any]:
        """The node as the platform is asked for it."""
        return {
            "id": self.wanted.device_id,
            "originator": self.originator,
            "policy": policy_for(self.wanted.owner),
            "objects": [
                {each.root: {"rn": each.name, "mgd": each.definition, **each.attributes}}
                for each in self.objects
            ],
        }

    def told(self, url: str, marks: Mapping[str, Any], now: float) -> Told | None:
        """Return what the platform was told, for who looks later; None if that is not all."""
        if self.base is None or self.wanted.claim_id is None:
            return None
        kept = {
            each.name: {"attributes": each.attributes, "mark": str(marks[each.name])}
            for each in self.objects
        }
        document = {"objects": kept, "base": self.base, "done": {"without": []}}
        return Told(
            *(url, self.wanted.device_id, self.wanted.claim_id, self.originator, NODES),
            document,
            now,
        )


def firsts_of(records: Records, url: str, wanted: Sequence[Wanted]) -> list[First]:
    """Return what is to be made, as far as it is the first time and as plain as that."""
    claims = [each.claim_id for each in wanted if each.claim_id is not None]
    described = records.described(url, claims)
    bases: Bases = {}
    found = (_first_of(records, url, each, described, bases) for each in wanted)
    return [each for each in found if each is not None]


def _first_of(
    records: Records,
    url: str,
    wanted: Wanted,
    described: Mapping[str, Described],
    bases: Bases,
) -> First | None:
    if wanted.claim_id is None:
        if wanted.originator is None:
            return None
        return First(
            wanted, wanted.originator, [device_info(wanted.device_id, wanted.facts)], None
        )
    claim = described.get(wanted.claim_id)
    if claim is None or claim.told_for == claim.id or claim.is_changed:
        return None
    platform = claim.version.document["platform"]
    if platform["url"] != url or wanted.originator not in (None, platform["originator"]):
        return None
    base = bases.get((claim.profile, claim.number))
    if base is None:
        profile = records.profiles.document(claim.profile, claim.number) or {}
        base = {name: changes.base_of(profile, name) for name in CHANGEABLE.values()}
        bases[claim.profile, claim.number] = base
    return First(wanted, platform["originator"], objects_of(claim, claim.version, []), base)


def made(place: Place, firsts: Sequence[First]) -> list[Mapping[str, Any] | None]:
    """The marks of the objects of each; None if the platform did not make it so.

    Raises NoAnswer if the platform is silent.
    """
    body = {"nodes": [each.asked() for each in firsts]}
    status, _, content = place.send("POST", "/nodes", {}, body, PLATFORM_TIMEOUT_S)
    # A platform of an earlier release has no such address.
    found = _nodes_in(content) if status == 200 else []
    if len(found) != len(firsts):
        return [None] * len(firsts)
    return [_marks(node, each.objects) for node, each in zip(found, firsts, strict=True)]


def _nodes_in(content: bytes) -> list[Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return []
    found = document.get("nodes") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _marks(node: Any, objects: list[Object]) -> Mapping[str, Any] | None:
    if not isinstance(node, dict) or node.get("rsc") != CREATED:
        return None
    marks = node.get("marks")
    is_whole = isinstance(marks, dict) and all(each.name in marks for each in objects)
    return marks if is_whole else None

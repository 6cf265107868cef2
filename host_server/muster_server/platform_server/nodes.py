# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Nodes of several devices with their objects in one transaction, for the administrator.

oneM2M has one creation to a request, and a device's node comes with up to eight objects. What is
there already is left as it is:

    POST /nodes   {"nodes": [{"id": "PRESS-4", "originator": "C…", "policy": "owner:admin",
                              "objects": [{"m2m:dvi": {"rn": "dvi", "mgd": 1007, …}}, …]}, …]}

The originator is named in the node's `hael`, and in the policy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from muster_server.lane import afterwards
from muster_server.platform_server import creation, serialization
from muster_server.platform_server import resource_types as types
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.access import ADMIN
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.service import Platform
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.platform import NameTaken, NotAlone, PlatformStore, Resource, Rows
from muster_server.store.platform_outbox import Notice

MOST = 32  # nodes at once
_MOST_OBJECTS = 16  # of each
_LONGEST = 64
_MOST_CHILDREN = 2048  # that are looked at


@dataclass(frozen=True)
class Wanted:
    """A device's node as it shall be."""

    device_id: str
    originator: str = field(repr=False)
    policy: str
    objects: list[Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class Made:
    """An answer for one node: with a refusal none was made. `marks`: when each object changed."""

    rsc: int
    marks: Mapping[str, str] = field(default_factory=dict)


class Nodes:
    """Makes what is missing. What is there and another is refused, and nothing of its node done:
    whoever wants it changed looks at it first.
    """

    def __init__(
        self,
        store: PlatformStore,
        platform: Platform,
        cse: CSE,
        clock: Callable[[], float],
        deliver: Callable[[list[Notice]], None] = lambda notices: None,
    ) -> None:
        self._store = store
        self._platform = platform
        self._cse = cse
        self._clock = clock
        self._deliver = deliver

    def make(self, wanted: list[Wanted]) -> list[Made]:
        """Return what became of each, in order. Raises Conflict, and nothing is done, if somebody
        else makes one of them meanwhile; Unavailable if the database is busy.
        """
        about = frozenset().union(*({_name_of(each), each.originator} for each in wanted))
        try:
            try:
                return self._made(wanted, about)
            except NotAlone:
                return self._made(wanted, None)
        except NameTaken as error:
            raise codes.Conflict(f"rn: {error} exists already") from None

    def _made(self, wanted: list[Wanted], about: frozenset[str] | None) -> list[Made]:
        with self._store.transaction(about) as rows:
            self._platform.remove_expired(rows)
            there = _There(rows, self._cse, wanted)
            now, ends = timestamp(self._clock()), self._platform.ends
            drafts: list[Resource] = []
            made = [self._drafted(there, each, now, ends, drafts) for each in wanted]
            rows.add_all(drafts)
            self._follow(rows, there, drafts)
            _name(rows, wanted, made)
        if rows.outbox.added:
            afterwards(partial(self._deliver, rows.outbox.added))
        return made

    def _drafted(
        self,
        there: "_There",
        wanted: Wanted,
        now: str,
        ends: creation.Ends,
        drafts: list[Resource],
    ) -> Made:
        try:
            own, marks = there.missing(wanted, now, ends)
        except codes.RequestRefused as error:
            return Made(error.rsc)
        drafts += own
        return Made(codes.CREATED, marks)

    def _follow(self, rows: Rows, there: "_There", drafts: list[Resource]) -> None:
        """Let AEs know their nodes, and subscribers of the CSEBase that these are new."""
        for draft in drafts:
            if draft.ty == types.NODE:
                for ae_id in draft.attributes["hael"]:
                    ae = there.entities.get(ae_id)
                    if ae is not None:
                        attributes = {**ae.attributes, "nl": draft.ri}
                        rows.change_counts(ae.but(attributes=attributes))
        if rows.children_of_type(there.base.ri, types.SUBSCRIPTION, 1):
            for draft in drafts:
                if draft.ty == types.NODE:
                    self._platform.note_created(rows, there.base, draft)


class _There:
    """The resources that there are of the nodes that are wanted."""

    def __init__(self, rows: Rows, cse: CSE, wanted: list[Wanted]) -> None:
        originators = [each.originator for each in wanted]
        paths = [f"{cse.name}/{_name_of(each)}" for each in wanted]
        found = {resource.path: resource for resource in rows.at([cse.name, *paths])}
        self.base = found.pop(cse.name)
        self._nodes = {node.rn: node for node in found.values()}
        self._children: dict[str, dict[str, Resource]] = {}
        for child in rows.children([node.ri for node in found.values()], _MOST_CHILDREN):
            self._children.setdefault(child.pi, {})[child.rn] = child
        self._hosted = rows.holders("hael", originators)
        self.entities = {ae.ri: ae for ae in rows.resources(originators) if ae.ty == types.AE}

    def missing(
        self, wanted: Wanted, now: str, ends: creation.Ends
    ) -> tuple[list[Resource], dict[str, str]]:
        """Return what is to be made for this one, and the mark of each of its objects.

        Raises Conflict if something is there that is another, or that others are told of;
        BadRequest and others if what is wanted is wrong.
        """
        name, drafts, marks = _name_of(wanted), [], {}
        node = self._nodes.get(name)
        if node is None:
            about = {"rn": name, "ni": f"muster:{wanted.device_id}", "hael": [wanted.originator]}
            node = creation.drafted(types.TYPES[types.NODE], self.base, about, ADMIN, now, ends)
            drafts.append(node)
            self._nodes[name] = node
        if node.ty != types.NODE or node.attributes.get("hael") != [wanted.originator]:
            raise codes.Conflict("the node is another's")
        if self._hosted.setdefault(wanted.originator, node.ri) != node.ri:
            raise codes.Conflict("hael: the AE is hosted by another node")
        children = self._children.setdefault(node.ri, {})
        if any(child.ty == types.SUBSCRIPTION for child in children.values()):
            raise codes.Conflict("whoever is told of the node's objects waits for each of them")
        for document in wanted.objects:
            type_ = types.form_of(types.TYPES[types.MGMT_OBJ], document)
            given = creation.content_of(document, type_, codes.BadRequest)
            if not types.NAMING.isdisjoint(given) or "rn" not in given:
                raise codes.BadRequest("an object comes with a name, and without policies")
            before = children.get(str(given["rn"]))
            if before is None:
                before = creation.drafted(type_, node, given, ADMIN, now, ends)
                drafts.append(before)
                children[before.rn] = before
            elif not _is_same(before, given):
                raise codes.Conflict(f"rn: {before.path} is there, and another")
            marks[before.rn] = before.lt
        return drafts, marks


def _is_same(before: Resource, given: Mapping[str, Any]) -> bool:
    wanted = {name: value for name, value in given.items() if name != "rn"}
    return before.ty == types.MGMT_OBJ and before.attributes == wanted


def _name_of(wanted: Wanted) -> str:
    return creation.NODE_NAMES + wanted.device_id


def _name(rows: Rows, wanted: list[Wanted], made: list[Made]) -> None:
    """Name whose nodes were made in the policies of their owners."""
    named: dict[str, list[str]] = {}
    for each, what in zip(wanted, made, strict=True):
        if what.rsc == codes.CREATED:
            named.setdefault(each.policy, []).append(each.originator)
    for policy, originators in named.items():
        rows.readers.add_members(policy, rows.accounts_among(originators))


def wanted_in(body: bytes) -> list[Wanted]:
    """Read the body of a request. Raises BadRequest if it is no list of nodes."""
    found = serialization.decoded(body, serialization.DEFAULT).get("nodes")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise codes.BadRequest(f'wanted {{"nodes": […]}} with 1 to {MOST}')
    wanted = [_wanted(each) for each in found]
    if len({each.device_id for each in wanted}) < len(wanted):
        raise codes.BadRequest("id: wanted each device once")
    return wanted


def _wanted(each: Any) -> Wanted:
    about = each if isinstance(each, dict) else {}
    device_id, originator, policy, objects = map(
        about.get, ("id", "originator", "policy", "objects")
    )
    are_texts = all(map(_is_text, (device_id, originator, policy)))
    is_list = isinstance(objects, list) and all(isinstance(one, dict) for one in objects)
    if not are_texts or not is_list or len(objects or ()) > _MOST_OBJECTS:
        raise codes.BadRequest(
            f'wanted "id", "originator" and "policy", and "objects" of at most {_MOST_OBJECTS}'
        )
    return Wanted(str(device_id), str(originator), str(policy), objects or [])


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST


def shown(made: list[Made]) -> dict[str, Any]:
    """The body of the answer."""
    return {"nodes": [{"rsc": each.rsc, "marks": dict(each.marks)} for each in made]}

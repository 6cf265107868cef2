# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The places at a platform where a device's management objects are kept.

Under its `<node>` where the platform has nodes, else as JSON in containers of our own.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from muster_server.config_server.cse import CONFLICT, CREATED, NOT_FOUND, OK, UPDATED, Cse, Told
from muster_server.config_server.device_objects import CHANGEABLE, SECRET, Object
from muster_server.config_server.instances import unix_time
from muster_server.document import compact_json
from muster_server.errors import ServiceUnreachable

NODES, CONTAINERS = "nodes", "containers"
OUR_AE = "muster-configuration"
_LONGEST_MARK = 64
_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}", re.ASCII)
# TS-0001 9.6.2: create 1, retrieve 2, update 4, delete 8, notify 16, discover 32
_ALL, _READ, _CHANGE, _WRITE = 63, 34, 38, 35
_UPDATED, _DELETED = 1, 2  # notification event types
_ACP, _AE, _CONTAINER, _INSTANCE, _OBJECT, _NODE, _SUBSCRIPTION = 1, 2, 3, 4, 13, 14, 23


class NoNodes(ServiceUnreachable):
    """The platform has no nodes."""


@dataclass(frozen=True)
class Seen:
    """An object as it is at the platform. The mark is another one after each change."""

    attributes: dict[str, Any] = field(repr=False)
    mark: str
    at: float | None  # when it was changed, in Unix time


@dataclass(frozen=True)
class About:
    """The device whose objects are kept, and who else may see and change them."""

    device_id: str
    originator: str = field(repr=False)
    editors: tuple[str, ...] = ()
    callback: str | None = None  # the URL at which this server is told of changes


class Keeper(Protocol):
    """Keeps objects at one platform. ServiceUnreachable if it does not let us."""

    def look(self, about: About) -> dict[str, Seen] | None:
        """Return what is there, by name; None if nothing was ever kept, or it was removed."""

    def tell(
        self,
        about: About,
        objects: list[Object],
        seen: Mapping[str, Seen] | None,
        done: dict[str, Any],
    ) -> dict[str, str]:
        """Bring the objects there up to date; the mark of each. `done` is what need not be done
        again, and is kept by the caller.
        """

    def forget(self, about: About) -> None:
        """Remove everything."""


class NodeKeeper:
    """Keeps management objects under `<node>`; policies say who may do what with them."""

    def __init__(self, cse: Cse, *, is_home: bool) -> None:
        self._cse = cse
        self._is_home = is_home

    def look(self, about: About) -> dict[str, Seen] | None:
        told = self._cse.get(f"{self._node(about)}?rcn=4")
        if told.rsc == NOT_FOUND or (told.rsc != OK and told.is_unknown_here):
            return None
        if told.rsc != OK:
            raise told.refusal("to show the device's node")
        children = (each for each in told.resource.values() if isinstance(each, list))
        found = (item for items in children for item in items if isinstance(item, dict))
        return {str(item.get("rn")): _seen(item) for item in found if item.get("ty") == _OBJECT}

    def tell(
        self,
        about: About,
        objects: list[Object],
        seen: Mapping[str, Seen] | None,
        done: dict[str, Any],
    ) -> dict[str, str]:
        if seen is None:
            self._make_node(about)
        looks, changes = self._policies(about, done)
        if seen is None and looks is not None:
            self._cse.update(self._node(about), "m2m:nod", acpi=[looks])
        without = done.setdefault("without", [])
        marks: dict[str, str] = {}
        kept = [each for each in objects if each.name not in without]
        policies = {e.name: changes if e.name in CHANGEABLE else looks for e in kept}
        missing = [each for each in kept if each.name not in (seen or {})]
        made = self._made(about, missing, policies, without)
        for each in kept:
            before = made.get(each.name) or (seen or {}).get(each.name)
            if before is not None:
                policy = None if each.name in made else policies[each.name]
                marks[each.name] = self._keep(about, each, before, policy)
        if about.callback is not None and done.get("callback") != about.callback:
            done["callback"] = about.callback
            for name in filter(marks.__contains__, CHANGEABLE):
                self._subscribe(f"{self._node(about)}/{name}", about.callback, _UPDATED)
            self._subscribe(self._node(about), about.callback, _DELETED)
        return marks

    def forget(self, about: About) -> None:
        self._cse.delete(self._node(about), "the device's node")
        if not self._is_home or about.editors:
            for name in _policy_names(about):
                self._cse.delete(f"/{self._cse.name}/{name}", "its policy")

    def _node(self, about: About) -> str:
        return f"/{self._cse.name}/nod-{about.device_id}"

    def _policies(self, about: About, done: dict[str, Any]) -> tuple[str | None, str | None]:
        """The addresses of the policies to look and to change. At home there is no need of them
        as long as nobody else may: the platform knows whose the node is.
        """
        if self._is_home and not about.editors:
            return None, None
        looks, changes = _policy_names(about)
        addresses = f"{self._cse.name}/{looks}", f"{self._cse.name}/{changes}"
        named = [self._cse.originator, about.originator, *about.editors]
        if done.get("named") == named:
            return addresses
        ours, device = _rule([self._cse.originator], _ALL), _rule([about.originator], _READ)
        self._put_policy(looks, [ours, device, _rule(about.editors, _READ)], ours)
        self._put_policy(changes, [ours, device, _rule(about.editors, _CHANGE)], ours)
        done["named"] = named
        return addresses

    def _put_policy(self, name: str, rules: list[dict[str, Any]], ours: dict[str, Any]) -> None:
        allowed = {"acr": [rule for rule in rules if rule["acor"]]}
        place = f"/{self._cse.name}"
        told = self._cse.create(place, _ACP, "m2m:acp", rn=name, pv=allowed, pvs={"acr": [ours]})
        if told.rsc == CONFLICT:
            told = self._cse.update(f"{place}/{name}", "m2m:acp", pv=allowed)
        if told.rsc not in (CREATED, UPDATED):
            raise told.refusal("to make an access control policy")

    def _make_node(self, about: About) -> None:
        name, ni = f"nod-{about.device_id}", f"muster:{about.device_id}"
        hosts = {"hael": [about.originator]} if self._is_home else {}
        place = f"/{self._cse.name}"
        told = self._cse.create(place, _NODE, "m2m:nod", rn=name, ni=ni, **hosts)
        if told.rsc in (CREATED, CONFLICT):
            return
        raise (
            NoNodes("it has no nodes") if told.is_unknown_here else told.refusal("to make a node")
        )

    def _made(
        self,
        about: About,
        missing: list[Object],
        policies: Mapping[str, str | None],
        without: list[str],
    ) -> dict[str, Seen]:
        """Make these objects, and add to `without` those that the platform does not have."""
        wanted = []
        for each in missing:
            policy = policies[each.name]
            governed = {} if policy is None else {"acpi": [policy]}
            about_it = {"rn": each.name, "mgd": each.definition, **each.attributes, **governed}
            wanted.append((each.root, about_it))
        made: dict[str, Seen] = {}
        answers = self._cse.create_all(self._node(about), _OBJECT, wanted)
        for each, told in zip(missing, answers, strict=True):
            if told.rsc == CREATED:
                made[each.name] = _seen(told.resource)  # ACME begins with a scan of its own
            elif told.is_unknown_here and told.rsc != CONFLICT:
                without.append(each.name)
            else:
                raise told.refusal(f"to make {each.name}")
        return made

    def _keep(self, about: About, each: Object, before: Seen, policy: str | None) -> str:
        place = f"{self._node(about)}/{each.name}"
        wanted = dict(each.attributes)
        if policy is not None and not before.attributes.get("acpi"):
            self._cse.update(place, each.root, acpi=[policy])
        changes = {n: v for n, v in wanted.items() if before.attributes.get(n) != v}
        changes |= {
            n: None for n in (SECRET, "meil") if n in before.attributes and n not in wanted
        }
        if not changes:
            return before.mark
        told = self._cse.update(place, each.root, **changes)
        if told.rsc != UPDATED:
            raise told.refusal(f"to change {each.name}")
        # Somebody else may have changed it since we looked: then there is no mark to know it by.
        after = _seen(told.resource)
        is_ours = all(after.attributes.get(name) == value for name, value in wanted.items())
        return after.mark if is_ours else ""

    def _subscribe(self, place: str, callback: str, event: int) -> None:
        """Best effort: what the platform cannot tell is found by looking."""
        about = {"rn": "muster", "nu": [callback], "enc": {"net": [event]}, "nct": 3}
        if self._cse.get(f"{place}/muster").rsc == NOT_FOUND:
            self._cse.create(place, _SUBSCRIPTION, "m2m:sub", **about)


class ContainerKeeper:
    """Keeps the objects as JSON: in `state` what is, in `wanted` what somebody asks for.

    Neither the originator nor any path is in it: at such a platform a device has nothing else to
    show, and policies may be missing.
    """

    def __init__(self, cse: Cse) -> None:
        self._cse = cse

    @cached_property
    def _entity(self) -> str:
        """The path of our AE, which the operator may have registered under another name."""
        told = self._cse.get(f"/{self._cse.originator}")
        name = told.resource.get("rn") if told.rsc == OK else None
        return f"/{self._cse.name}/{name or OUR_AE}"

    def look(self, about: About) -> dict[str, Seen] | None:
        if self._cse.get(self._place(about)).rsc != OK:
            return None
        told = self._cse.get(f"{self._place(about)}/wanted/la")
        if told.rsc != OK:
            return {}
        asked = _asked(told.resource.get("con"))
        mark, at = str(told.resource.get("ri")), unix_time(str(told.resource.get("ct")))
        return {name: Seen(asked[name], mark, at) for name in CHANGEABLE if name in asked}

    def tell(
        self,
        about: About,
        objects: list[Object],
        seen: Mapping[str, Seen] | None,
        done: dict[str, Any],
    ) -> dict[str, str]:
        if seen is None:
            self._make(about)
        state = {each.name: _without_paths(each) for each in objects if each.name != "reg"}
        latest = self._cse.get(f"{self._place(about)}/state/la")
        content = compact_json(state)
        if latest.resource.get("con") != content:
            # What is asked for may be a password: it is gone from here as soon as it was taken.
            told = self._cse.create(
                f"{self._place(about)}/state", _INSTANCE, "m2m:cin", con=content
            )
            if told.rsc != CREATED:
                raise told.refusal("to keep the device's state")
        for mark in {each.mark for each in (seen or {}).values()}:
            if _ID.fullmatch(mark):
                self._cse.delete(f"/{mark}", "what was asked for")
        return dict.fromkeys(CHANGEABLE, "")

    def forget(self, about: About) -> None:
        self._cse.delete(self._place(about), "the device's container")
        for name in ("state", "wanted"):
            policy = f"{self._entity}/{name}-{about.device_id}"
            if self._cse.get(policy).rsc == OK:
                self._cse.delete(policy, "its policy")

    def _place(self, about: About) -> str:
        return f"{self._entity}/{about.device_id}"

    def _make(self, about: About) -> None:
        entity = {"api": "Nmuster", "rr": False, "srv": ["4"]}
        made = self._cse.create(f"/{self._cse.name}", _AE, "m2m:ae", rn=OUR_AE, **entity)
        if made.rsc not in (CREATED, CONFLICT, 4117):
            raise made.refusal("to register this server")
        _made(self._cse.create(self._entity, _CONTAINER, "m2m:cnt", rn=about.device_id))
        for name, most in (("state", 4), ("wanted", 1)):
            governed = self._governed(about, name)
            _made(
                self._cse.create(
                    self._place(about), _CONTAINER, "m2m:cnt", rn=name, mni=most, **governed
                )
            )

    def _governed(self, about: About, name: str) -> dict[str, Any]:
        if not about.editors:
            return {}
        ours, rn = _rule([self._cse.originator], _ALL), f"{name}-{about.device_id}"
        rules = [ours, _rule(about.editors, _WRITE if name == "wanted" else _READ)]
        place = self._entity
        policy = {"rn": rn, "pv": {"acr": rules}, "pvs": {"acr": [ours]}}
        _made(self._cse.create(place, _ACP, "m2m:acp", **policy))
        told = self._cse.get(f"{place}/{rn}")
        return {"acpi": [str(told.resource.get("ri", f"{place[1:]}/{rn}"))]}


def _made(told: Told) -> None:
    if told.rsc not in (CREATED, CONFLICT):
        raise told.refusal("to make what the device's state is kept in")


def _policy_names(about: About) -> tuple[str, str]:
    return f"acp-{about.device_id}-look", f"acp-{about.device_id}-change"


def _rule(originators: Iterable[str], operations: int) -> dict[str, Any]:
    return {"acor": list(originators), "acop": operations}


def _seen(resource: Mapping[str, Any]) -> Seen:
    mark = str(resource.get("lt", ""))[:_LONGEST_MARK]
    return Seen(dict(resource), mark, unix_time(mark))


def _without_paths(each: Object) -> dict[str, Any]:
    return {name: value for name, value in each.attributes.items() if name != "cntp"}


def _asked(content: Any) -> dict[str, dict[str, Any]]:
    try:
        asked = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        return {}
    if not isinstance(asked, dict):
        return {}
    return {str(n): value for n, value in asked.items() if isinstance(value, dict)}

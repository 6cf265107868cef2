# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""From an event to notifications: who has subscribed to it, and what each is told.

TS-0001 10.2.10, TS-0004 7.5.1.2. Nothing is sent here: notices are kept in the event's own
transaction, and delivery.py sends them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from muster_server.document import compact_json
from muster_server.platform_server import access, results
from muster_server.platform_server import resource_types as types
from muster_server.platform_server import subscription_form as form
from muster_server.platform_server.access import Caller
from muster_server.platform_server.addressing import CSE, locate
from muster_server.platform_server.primitives import Operation
from muster_server.platform_server.response_codes import (
    BadRequest,
    NoPrivilege,
    NotAcceptable,
    NotFound,
    NotVerified,
)
from muster_server.store.platform import Resource, Rows
from muster_server.store.platform_outbox import CHANNEL, RESULT, Notice

MOST_SUBSCRIPTIONS = 32  # of one resource


@dataclass(frozen=True)
class Event:
    """Something that happened to `resource`, or to a child of it."""

    kind: int
    resource: Resource  # whose subscriptions are looked at
    subject: Resource  # the resource itself, or its child
    changed: Mapping[str, Any] | None = None  # attributes of an update, None being removed


class VerificationNeeded(Exception):
    """A subscription is as it should be, and its targets are still to be asked."""

    def __init__(self, subscription: Resource, urls: tuple[str, ...], body: str) -> None:
        super().__init__(subscription.path)
        self.subscription = subscription
        self.urls = urls
        self.body = body


def note(
    rows: Rows,
    cse: CSE,
    event: Event,
    now: float,
    caller_of: Callable[[str], Caller | None],
) -> None:
    """Keep what the subscribers of the event are to be told. A subscriber that may read the
    resource no longer loses its subscription.
    """
    found = rows.children_of_type(event.resource.ri, types.SUBSCRIPTION, MOST_SUBSCRIPTIONS)
    if not found:
        rows.asked.learn_unsubscribed(event.resource.ri)
    for subscription in found:
        if not _is_meant(subscription.attributes.get("enc", {}), event):
            continue
        if not _may_still_read(subscription, event.resource, caller_of):
            rows.remove(subscription.ri)
            continue
        body = compact_json(_notification(rows, cse, subscription, event))
        _tell(rows, cse, subscription, body, now)
        _count_down(rows, subscription)


def note_last_words(rows: Rows, cse: CSE, subscription: Resource, now: float) -> None:
    """Tell `su`, if there is one, that its subscription was deleted."""
    address = subscription.attributes.get("su")
    target = None if address is None else _possible_target(rows, cse, address)
    if target is not None:
        about: dict[str, Any] = {"sud": True, "sur": _name(cse, subscription)}
        if "cr" in subscription.attributes:
            about["cr"] = subscription.creator
        body = compact_json(about)
        rows.outbox.add(Notice(target, subscription.ri, body, now))


def check(
    rows: Rows, cse: CSE, parent: Resource, draft: Resource, verified: frozenset[str]
) -> None:
    """Check a subscription before it is kept.

    Raises VerificationNeeded if its targets are to be asked first, NotAcceptable if the resource
    has too many, NotVerified or BadRequest if a target cannot be told anything.
    """
    found = rows.children_of_type(parent.ri, types.SUBSCRIPTION, MOST_SUBSCRIPTIONS)
    if len(found) >= MOST_SUBSCRIPTIONS:
        raise NotAcceptable(f"there are {MOST_SUBSCRIPTIONS} subscriptions to that already")
    check_targets(rows, cse, draft, verified)


def check_targets(rows: Rows, cse: CSE, draft: Resource, verified: frozenset[str]) -> None:
    """Check whether all targets may be told something.

    Raises VerificationNeeded, NotVerified or BadRequest as `check` does.
    """
    attributes = draft.attributes
    events = attributes.get("enc", {}).get("net", [form.UPDATED])
    if attributes.get("nct") == form.MODIFIED_ATTRIBUTES and set(events) != {form.UPDATED}:
        raise BadRequest("nct: 2, modified attributes, is for updates (net 1) only")
    _check_children(rows, draft)
    addresses = [*draft.attributes["nu"], *filter(None, [draft.attributes.get("su")])]
    urls = []
    for address in addresses:
        target = target_of(rows, cse, address)
        if target is None:
            raise NotVerified(f"nu: {address[:64]} has neither a polling channel nor a poa")
        if target == CHANNEL + (draft.creator or ""):
            continue  # whoever asks needs no question whether it wants to be told
        if target.startswith(CHANNEL):
            raise NotVerified("nu: somebody else's polling channel cannot be asked")
        urls.append(target)
    missing = tuple(url for url in dict.fromkeys(urls) if url not in verified)
    if missing:
        about = {"vrq": True, "sur": _name(cse, draft), "cr": draft.creator}
        raise VerificationNeeded(draft, missing, compact_json(about))


def _check_children(rows: Rows, draft: Resource) -> None:
    parent = rows.resource(draft.pi)
    possible = types.TYPES[parent.ty].children if parent is not None else frozenset[int]()
    strange = set(draft.attributes.get("enc", {}).get("chty", ())) - possible
    if strange:
        raise BadRequest(f"chty: no children of type {min(strange)} are there")


def check_channel(rows: Rows, caller: Caller, parent: Resource) -> None:
    """Check a polling channel before it is kept.

    Raises NoPrivilege if it is not the AE that makes it, BadRequest if there is one already.
    """
    if caller.originator != parent.owner:
        raise NoPrivilege("a polling channel is made by its AE alone")
    if rows.children_of_type(parent.ri, types.CHANNEL, 1):
        raise BadRequest("the AE has a polling channel already")


def target_of(rows: Rows, cse: CSE, address: str) -> str | None:
    """The place to which a notification for this address of `nu` goes, if any. BadRequest if it is
    neither a URL nor that of an AE.
    """
    if address.startswith(("http://", "https://")):
        return address
    if "://" in address:
        raise BadRequest(f"nu: wanted http or https, got {address[:64]}")
    try:
        entity = locate(rows, cse, address).resource
    except NotFound:
        raise BadRequest(f"nu: there is no AE at {address[:64]}") from None
    if entity.ty != types.AE:
        raise BadRequest(f"nu: {address[:64]} is no AE")
    if rows.children_of_type(entity.ri, types.CHANNEL, 1):
        return CHANNEL + entity.ri
    points = [point for point in entity.attributes.get("poa", ()) if point.startswith("http")]
    return points[0] if points else None


def _is_meant(criteria: Mapping[str, Any], event: Event) -> bool:
    if event.kind not in criteria.get("net", (form.UPDATED,)):
        return False
    if event.kind == form.UPDATED and "atr" in criteria:
        return any(name in criteria["atr"] for name in event.changed or ())
    if event.kind in (form.CHILD_CREATED, form.CHILD_DELETED) and "chty" in criteria:
        return event.subject.ty in criteria["chty"]
    return True


def _may_still_read(
    subscription: Resource, resource: Resource, caller_of: Callable[[str], Caller | None]
) -> bool:
    if subscription.creator is None or subscription.creator == resource.owner:
        return True
    caller = caller_of(subscription.creator)
    return caller is not None and access.may(caller, Operation.RETRIEVE, resource)


def _notification(rows: Rows, cse: CSE, subscription: Resource, event: Event) -> dict[str, Any]:
    happened = {"net": event.kind, "rep": _representation(rows, cse, subscription, event)}
    about: dict[str, Any] = {"nev": happened, "sur": _name(cse, subscription)}
    if "cr" in subscription.attributes:
        about["cr"] = subscription.creator
    return about


def _representation(rows: Rows, cse: CSE, subscription: Resource, event: Event) -> dict[str, Any]:
    wanted = subscription.attributes.get("nct", form.ALL_ATTRIBUTES)
    if wanted == form.RESOURCE_ID:
        return {"m2m:uri": f"/{cse.id}/{event.subject.ri}"}
    if wanted == form.MODIFIED_ATTRIBUTES and event.changed is not None:
        return results.document_of(event.subject, dict(event.changed))
    end = results.end_of_life(rows, event.subject)
    return results.document_of(event.subject, results.attributes_of(event.subject, end))


def _tell(rows: Rows, cse: CSE, subscription: Resource, body: str, now: float) -> None:
    batch = subscription.attributes.get("bn")
    number, seconds = (batch.get("num", 100), form.batch_s(batch)) if batch else (0, 0.0)
    for address in subscription.attributes["nu"]:
        target = _possible_target(rows, cse, address)
        if target is not None:
            rows.outbox.add(Notice(target, subscription.ri, body, now, number, seconds))


def _possible_target(rows: Rows, cse: CSE, address: str) -> str | None:
    try:
        return target_of(rows, cse, address)
    except BadRequest:
        return None  # that AE is gone


def _count_down(rows: Rows, subscription: Resource) -> None:
    left = subscription.attributes.get("exc")
    if left is None:
        return
    if left <= 1:
        rows.remove(subscription.ri)
        return
    rows.change(replace(subscription, attributes={**subscription.attributes, "exc": left - 1}))


def _name(cse: CSE, subscription: Resource) -> str:
    return f"/{cse.id}/{subscription.ri}"


def content_of(notices: Sequence[Notice]) -> str:
    """The body of what is sent: one notification, or an aggregated one. Notices hold compact JSON,
    which is not read again for that.
    """
    first = notices[0]
    if first.subscription == RESULT:
        return f'{{"m2m:rsp":{first.body}}}'
    if first.batch > 1:
        return f'{{"m2m:agn":{{"m2m:sgn":[{",".join(notice.body for notice in notices)}]}}}}'
    return f'{{"m2m:sgn":{first.body}}}'

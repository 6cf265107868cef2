# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The platform's rules: what create, retrieve, update and delete do to the resource tree.

One request is one transaction: who asks, whether they may, and the deed see the same state.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from muster_server.errors import StoreError, Unauthorized
from muster_server.expiry_clock import ExpiryClock
from muster_server.lane import afterwards
from muster_server.platform_server import (
    access,
    addressing,
    creation,
    instances,
    leaving,
    linking,
    notifying,
    policies,
    results,
    room,
    sightings,
    turns,
)
from muster_server.platform_server import resource_types as types
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server import subscription_form as form
from muster_server.platform_server.access import Caller
from muster_server.platform_server.accounts import Accounts
from muster_server.platform_server.addressing import CSE, Target
from muster_server.platform_server.attributes import ResourceType
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.notifying import Event
from muster_server.platform_server.primitives import Content, Operation, Request, Response
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.platform import NameTaken, PlatformStore, Resource, Rows, TooSlow
from muster_server.store.platform_outbox import Notice
from muster_server.store.platform_turns import NotAlone

_HISTORY_S, _SWEPT_AT_ONCE = 30 * 86400, 2000  # of accounts that were closed
Changes = Mapping[str, Any]  # None removes an attribute
SUPPORTED_RELEASES = ("2a", "3", "4", "5")


class ToBeWritten(Exception):
    """A retrieval changes what it shows, so that a snapshot is not enough."""


class Platform:
    """A oneM2M IN-CSE in small. Call `open` once before the first request."""

    def __init__(
        self,
        store: PlatformStore,
        accounts: Accounts,
        clock: Callable[[], float],
        bounds: Bounds,
        cse: CSE,
        expiry: ExpiryClock | None = None,
        deliver: Callable[[list[Notice]], None] = lambda notices: None,
        hand_on: Callable[[str, Any], None] = lambda path, secret: None,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._bounds = bounds
        self._cse = cse
        self._deliver = deliver
        self._hand_on = hand_on
        self._base: Resource | None = None
        self._swept = ""  # the originator up to which the last sweep has looked
        self._earliest: Callable[[], float] = clock if expiry is None else expiry
        self._latest: Callable[[], float] = clock if expiry is None else expiry.latest

    def open(self) -> None:
        """Make the CSEBase, unless the database has one.

        Raises StoreError if the database belongs to another CSE.
        """
        with self._store.transaction() as rows:
            base = rows.resource_at(self._cse.name)
            new = creation.cse_base(self._cse, SUPPORTED_RELEASES, self._now())
            if base is None and not rows.children([""], 1):
                rows.add(new)
            elif base is None or base.ri != self._cse.id:
                raise StoreError(
                    f'the database belongs to another CSE than "{self._cse.name}" with id '
                    f'"{self._cse.id}"; start it with that one\'s names, or with an empty database'
                )
            elif base.attributes != new.attributes:  # of a release that could less, or more
                rows.change(replace(base, attributes=new.attributes))

    def answer(self, request: Request, token: str | None) -> Response:
        """Carry a request out. RequestRefused (such as NotAcceptable for an endless search) or
        Unauthorized, and no resource changed, if not; or VerificationNeeded: then it is asked for
        again with the URLs that were verified.
        """
        try:
            if request.operation is Operation.RETRIEVE:
                with contextlib.suppress(ToBeWritten):
                    return self._read(request, token)
            try:
                return self._written(request, token, self.about(request))
            except NotAlone:
                return self._written(request, token, None)
        except TooSlow as error:
            raise codes.NotAcceptable(f"the search took {error}; narrow it") from None
        except (codes.RequestRefused, Unauthorized) as error:
            if sightings.is_notable(request, error):
                with self._store.transaction({request.originator}) as rows:
                    sightings.note_refused(rows, request, error, self._clock())
            raise

    def about(self, request: Request) -> frozenset[str] | None:
        """Return what a request may change, for the store's `transaction`; None: anything."""
        if not self._store.processes.are_several:
            return None
        return turns.about(self._cse, request, self._path_of)

    def _path_of(self, ri: str) -> str | None:
        with self._store.reading() as rows:
            found = rows.resource(ri)
        return None if found is None else found.path

    def _written(
        self, request: Request, token: str | None, about: frozenset[str] | None
    ) -> Response:
        with self._store.transaction(about) as rows:
            self.remove_expired(rows)
            caller = self._accounts.authenticate(
                rows, token, request.originator, assigns=creation.asks_for_an_id(request)
            )
            if request.originator != caller.originator:
                request = replace(request, originator=caller.originator)
            target = self._target(rows, request)
            answer = self.carry_out(rows, caller, target, request)
            sightings.note_done(rows, request, target.resource, self._clock())
        if rows.outbox.added:
            afterwards(partial(self._deliver, rows.outbox.added))
        if answer.handed_on:
            afterwards(partial(self._hand_on, *answer.handed_on))
        return answer

    def _read(self, request: Request, token: str | None) -> Response:
        """The answer of a retrieval, for which nobody has to wait. ToBeWritten if it changes
        something, as the first that finds something expired does.
        """
        with self._store.reading() as rows:
            if rows.asked.has_expired(timestamp(self._earliest())):
                raise ToBeWritten
            caller = self._accounts.authenticate(rows, token, request.originator)
            target = addressing.locate(rows, self._cse, request.to)
            return self.carry_out(rows, caller, target, request)

    def _target(self, rows: Rows, request: Request) -> Target:
        """The resource that the request names. Of the CSEBase nothing changes that a creation
        looks at, so it is read once.
        """
        is_root = request.operation is Operation.CREATE and request.to == self._cse.name
        if is_root and self._base is not None:
            return Target(self._base)
        target = addressing.locate(rows, self._cse, request.to)
        if is_root:
            self._base = target.resource
        return target

    def carry_out(self, rows: Rows, caller: Caller, target: Target, request: Request) -> Response:
        """Do what the request asks for, in this transaction.

        RequestRefused or VerificationNeeded, perhaps with half of it done: take that back.
        """
        match request.operation:
            case Operation.CREATE:
                return self._create(rows, caller, target, request)
            case Operation.RETRIEVE:
                return self._retrieve(rows, caller, target, request)
            case Operation.UPDATE:
                return self._update(rows, caller, target, request)
            case Operation.DELETE:
                return self._delete(rows, caller, target, request)

    def sweep(self) -> None:
        """Remove what has expired, and old history of some accounts."""
        before = self._earliest() - _HISTORY_S
        with self._store.reading() as rows:
            closed, self._swept = rows.history.closed(before, self._swept, _SWEPT_AT_ONCE)
        with self._store.transaction() as rows:
            self.remove_expired(rows)
            rows.history.forget_closed(before, closed)
            rows.outbox.remove_without_ae()

    def _create(self, rows: Rows, caller: Caller, target: Target, request: Request) -> Response:
        if target.edge is not None:
            raise codes.OperationNotAllowed("nothing can be created under la or ol")
        type_ = creation.creatable(request.ty)
        try:
            return self._made(rows, caller, target.resource, type_, request)
        except codes.RequestRefused:
            # Looked for only now: of those that register, few have registered before.
            if type_.number != types.AE or caller.ae is None:
                raise
        raise codes.AlreadyRegistered("this originator has an AE already; retrieve it instead")

    def _made(
        self, rows: Rows, caller: Caller, parent: Resource, type_: ResourceType, request: Request
    ) -> Response:
        self._check(caller, Operation.CREATE, parent, type_.number)
        if type_.number not in types.TYPES[parent.ty].children:
            raise codes.InvalidChildType(f"{type_.root} cannot be created there")
        type_ = types.form_of(type_, request.document)
        given = creation.content_of(request.document, type_, codes.BadRequest)
        linking.check_keeper(caller, parent, given)
        types.check_app_id(given, request.release)
        draft = creation.drafted(
            type_, parent, given, caller.originator, self._now(), self.ends, request.new_id
        )
        if not types.NAMING.isdisjoint(draft.attributes):
            draft = draft.but(attributes=policies.settled(rows, self._cse, draft.attributes))
        room.check(rows, draft, self._bounds)
        if draft.ty == types.AE and not caller.is_admin:
            creation.check_name(rows, draft)
        if draft.ty == types.SUBSCRIPTION:
            notifying.check(rows, self._cse, parent, draft, request.verified)
        if draft.ty == types.CHANNEL:
            notifying.check_channel(rows, caller, parent)
        try:
            kept = self._keep(rows, caller, parent, draft)
        except NameTaken:  # by a transaction that ran at the same time
            raise codes.Conflict(f"rn: {draft.path} exists already") from None
        if kept.ty != types.SUBSCRIPTION:
            self._note(rows, Event(form.CHILD_CREATED, parent, kept))
        return results.created(rows, kept, request.content, given)

    def _keep(self, rows: Rows, caller: Caller, parent: Resource, draft: Resource) -> Resource:
        if draft.ty == types.AE:
            asked = draft.attributes.get("nl")
            node_id = linking.linked_node_id(rows, self._cse, caller, draft.ri, asked)
            if node_id is not None:
                draft = draft.but(attributes={**draft.attributes, "nl": node_id})
        if draft.ty == types.CONTENT_INSTANCE:
            return instances.append(rows, parent, draft, self._bounds)
        hosted = draft.attributes.get("hael")
        if not hosted:
            return rows.add(draft)
        linking.check_hosted(rows, hosted)
        kept = rows.add(draft)
        linking.follow_node(rows, kept.ri, [], hosted)
        return kept

    def _retrieve(self, rows: Rows, caller: Caller, target: Target, request: Request) -> Response:
        asks_for = request.is_discovery
        if not access.may(caller, Operation.RETRIEVE, target.resource, discovers=asks_for):
            raise codes.NoPrivilege("this originator may not retrieve that")
        resource = instances.meant(rows, target)
        instances.check_retrievable(rows, resource)
        if resource.ty == types.CSE_BASE:
            resource = replace(resource, attributes={**resource.attributes, "ctm": self._now()})
        answer, shown = results.retrieved(
            rows, caller, self._cse, resource, request, self._bounds.results
        )
        if rows.is_snapshot and any(map(instances.is_counted, shown)):
            raise ToBeWritten
        for leaf in instances.shown_the_last_time(rows, shown):
            self._remove(rows, leaf)
        return answer

    def _update(self, rows: Rows, caller: Caller, target: Target, request: Request) -> Response:
        resource = target.resource
        type_ = types.form_of_kept(resource)
        if "acpi" not in creation.inner_of(request.document, type_):
            self._check(caller, Operation.UPDATE, resource)
        elif not access.may_govern(caller, resource):
            raise codes.NoPrivilege("acpi: this originator may not say who governs that")
        if target.edge or resource.ty in (types.CSE_BASE, types.CONTENT_INSTANCE):
            raise codes.OperationNotAllowed(f"{type_.root} cannot be updated there")
        given = creation.content_of(request.document, type_, codes.ContentsUnacceptable)
        changes, secret = types.parted(type_, types.checked_for_update(type_, given))
        if "acpi" in changes and len(changes) > 1:
            raise codes.BadRequest("acpi: is updated alone, without other attributes")
        changed = creation.updated(resource, changes, self._now(), self.ends)
        if resource.ty == types.SUBSCRIPTION:
            notifying.check_targets(rows, self._cse, changed, request.verified)
        kept = self._change(rows, caller, resource, changed, changes)
        self._note(rows, Event(form.UPDATED, kept, kept, changes))
        shown = results.shown(rows, kept, request.content, changes, resource)
        handed_on = None if secret is None else (resource.path, secret)
        return Response(codes.UPDATED, shown, handed_on=handed_on)

    def _change(
        self, rows: Rows, caller: Caller, before: Resource, after: Resource, changes: Changes
    ) -> Resource:
        if before.ty == types.AE and "nl" in changes:
            if changes["nl"] is None:
                linking.unlink(rows, caller, before.ri)
            else:
                node_id = linking.linked_node_id(rows, self._cse, caller, before.ri, changes["nl"])
                after = replace(after, attributes={**after.attributes, "nl": node_id})
        if types.NAMING & changes.keys():
            after = self._governed(rows, before, after)
        if before.ty == types.CONTAINER:
            after = instances.opened(rows, before, after)
            after = instances.trimmed(rows, after, self._bounds)
        hosted = after.attributes.get("hael", [])
        if before.ty == types.NODE and "hael" in changes:
            linking.check_hosted(rows, hosted, before.ri)
            linking.follow_node(rows, before.ri, before.attributes.get("hael", []), hosted)
        rows.change(after)
        return after

    def _governed(self, rows: Rows, before: Resource, after: Resource) -> Resource:
        attributes = policies.settled(rows, self._cse, after.attributes)
        parent = rows.resource(after.pi)
        governed_by = creation.governing(after.ri, after.ty, attributes, parent)
        after = replace(after, attributes=attributes, governed_by=governed_by)
        if after.governed_by != before.governed_by:
            rows.govern(before, after, types.GOVERNED_BY_NOBODY)
        return after

    def _delete(self, rows: Rows, caller: Caller, target: Target, request: Request) -> Response:
        self._check(caller, Operation.DELETE, target.resource)
        resource = instances.meant(rows, target)
        instances.check_retrievable(rows, resource)
        if resource.ty == types.CSE_BASE:
            raise codes.OperationNotAllowed("the CSEBase cannot be deleted")
        answer = Response(codes.DELETED)
        if request.content is not Content.NOTHING:
            shown, _ = results.retrieved(
                rows, caller, self._cse, resource, request, self._bounds.results
            )
            answer = replace(shown, rsc=codes.DELETED)
        self._remove(rows, resource)
        return answer

    def _remove(self, rows: Rows, resource: Resource) -> None:
        self._note_deletion(rows, resource)
        leaving.loosen(rows, [resource])
        rows.remove(resource.ri)

    def _note_deletion(self, rows: Rows, resource: Resource) -> None:
        if resource.ty == types.SUBSCRIPTION:
            notifying.note_last_words(rows, self._cse, resource, self._clock())
            return
        self._note(rows, Event(form.DELETED, resource, resource))
        most = notifying.MOST_SUBSCRIPTIONS
        for subscription in rows.children_of_type(resource.ri, types.SUBSCRIPTION, most):
            notifying.note_last_words(rows, self._cse, subscription, self._clock())
        parent = rows.resource(resource.pi)
        if parent is not None:
            self._note(rows, Event(form.CHILD_DELETED, parent, resource))

    def _note(self, rows: Rows, event: Event) -> None:
        if rows.asked.is_unsubscribed(event.resource.ri):
            return
        caller_of = partial(self._accounts.caller_of, rows)
        notifying.note(rows, self._cse, event, self._clock(), caller_of)

    def polled(self, request: Request, token: str | None) -> str | None:
        """The AE that polls at its channel's `pcu`; None if what is above is no channel.

        Raises NotFound if there is nothing, NoPrivilege if it is not the caller's own,
        Unauthorized if nobody knows who asks.
        """
        with self._store.reading() as rows:
            caller = self._accounts.authenticate(rows, token, request.originator)
            channel = addressing.locate(rows, self._cse, request.to.rpartition("/")[0]).resource
            if channel.ty != types.CHANNEL:
                return None
            if channel.owner is None or channel.owner != caller.originator:
                raise codes.NoPrivilege("a polling channel is its AE's alone")
            return channel.owner

    def _check(
        self, caller: Caller, operation: Operation, resource: Resource, ty: int | None = None
    ) -> None:
        if not access.may(caller, operation, resource, ty):
            raise codes.NoPrivilege(f"this originator may not {operation.value} that")

    def note_created(self, rows: Rows, parent: Resource, kept: Resource) -> None:
        """Keep what the subscribers of the parent are to be told of its new child."""
        self._note(rows, Event(form.CHILD_CREATED, parent, kept))

    def remove_expired(self, rows: Rows) -> None:
        """Remove what has expired, before anybody sees it."""
        now = timestamp(self._earliest())
        if rows.asked.has_expired(now):
            leaving.remove_expired(rows, now, self._clock())

    def _now(self) -> str:
        return timestamp(self._clock())

    def ends(self) -> tuple[str, str]:
        """Return the time after which a life may end, and the latest end that it may have."""
        # By the clock that this server believes, so that no device is refused for a jump.
        return timestamp(self._earliest()), timestamp(self._latest() + self._bounds.life_s)

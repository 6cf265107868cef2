# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requests that are answered later (TS-0001 8.2.2, 9.6.12): each is kept as a <request>, in which
its originator finds what became of it; with rt=2 the originator is told, too.

Each lives until its request's times say, five minutes otherwise, and an hour at most. So many of
one originator are kept, and so many of all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from muster_server.document import compact_json
from muster_server.platform_server import creation, notifying
from muster_server.platform_server import resource_types as types
from muster_server.platform_server.access import Caller
from muster_server.platform_server.accounts import Accounts
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.primitives import Operation, Request, ResponseType
from muster_server.platform_server.request_times import LONGEST_WAIT_S
from muster_server.platform_server.response_codes import (
    ACCEPTED,
    BadRequest,
    NotAcceptable,
    RequestRefused,
)
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.platform import PlatformStore, Resource, Rows
from muster_server.store.platform_outbox import RESULT, Notice

COMPLETED, FAILED, PENDING = 1, 2, 3  # requestStatus (TS-0004 6.3.4.2.4)
MOST_EACH = 16
MOST = 1000
MOST_BYTES = 64 * 1024  # of a result
_MOST_TARGETS = 3
# In which time each is carried out: it may wait, poll or search, and be kept at the third try.
_CARRIED_OUT_S = LONGEST_WAIT_S + 90.0
_NUMBERS = {
    Operation.CREATE: 1,
    Operation.RETRIEVE: 2,
    Operation.UPDATE: 3,
    Operation.DELETE: 4,
}


@dataclass(frozen=True)
class About:
    """Parameters of a request that say nothing of the operation itself."""

    id: str
    ends_s: float  # Unix time after which nobody asks for its result
    targets: tuple[str, ...] | None = None  # of its result; None: whoever asks
    vendor: str | None = None


@dataclass(frozen=True)
class Accepted:
    """A request that is kept, and who is told what became of it."""

    ri: str
    path: str
    targets: tuple[str, ...] = ()


class RequestResources:
    """Makes and ends <request> resources."""

    def __init__(
        self, store: PlatformStore, accounts: Accounts, clock: Callable[[], float], cse: CSE
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._cse = cse

    def open(self) -> None:
        """Say of what a former run left undone that it will not be done. Where other processes
        run, that is what should have been done long ago.
        """
        if self._store.processes.are_several:
            self.sweep()
            return
        with self._store.transaction() as rows:
            self._give_up(rows, self._pending(rows))

    def sweep(self) -> None:
        """Say of what a process that has gone left undone that it will not be done. Unavailable
        if the database is busy.
        """
        before = timestamp(self._clock() - _CARRIED_OUT_S)
        with self._store.reading() as rows:
            if all(kept.ct > before for kept in self._pending(rows)):
                return
        with self._store.transaction() as rows:
            self._give_up(rows, [kept for kept in self._pending(rows) if kept.ct <= before])

    def _pending(self, rows: Rows) -> list[Resource]:
        kept = rows.children_of_type(self._cse.id, types.REQUEST, MOST)
        return [each for each in kept if each.attributes["rs"] == PENDING]

    def _give_up(self, rows: Rows, undone: list[Resource]) -> None:
        text = "the platform was restarted before it was done"
        for kept in undone:
            rows.change(self._concluded(kept, RequestRefused.rsc, {"m2m:dbg": text}))

    def accept(self, request: Request, token: str | None, about: About) -> Accepted:
        """Keep a request that will be carried out.

        Raises Unauthorized or SecurityAssociationRequired if nobody knows who asks, NotAcceptable
        if too many are kept, BadRequest if its result cannot be told to whom it names.
        """
        with self._store.transaction() as rows:
            caller = self._accounts.authenticate(
                rows, token, request.originator, assigns=creation.asks_for_an_id(request)
            )
            kept = rows.made_by(self._cse.id, types.REQUEST)
            if kept.get(caller.originator, 0) >= MOST_EACH or sum(kept.values()) >= MOST:
                raise NotAcceptable(
                    f"{MOST_EACH} requests of an originator wait for it at most; delete some, "
                    "or give them a shorter X-M2M-RET"
                )
            is_told = request.response_type is ResponseType.ASYNCHRONOUS
            targets = self._targets(rows, caller, about) if is_told else ()
            new = self._drafted(caller.originator, request, about)
            rows.add(new)
            return Accepted(new.ri, new.path, targets)

    def conclude(self, accepted: Accepted, rsc: int, document: Any) -> list[Notice]:
        """Keep what became of a request; what its originator is to be told."""
        if document is not None and len(compact_json(document).encode()) > MOST_BYTES:
            text = f"the result is more than {MOST_BYTES} bytes; ask for it with rt=3, or with lim"
            rsc, document = NotAcceptable.rsc, {"m2m:dbg": text}
        with self._store.transaction() as rows:
            kept = rows.resource(accepted.ri)
            if kept is None:  # it was deleted, or has expired
                return []
            done = self._concluded(kept, rsc, document)
            rows.change(done)
            body = compact_json(done.attributes["ors"])
            for target in accepted.targets:
                rows.outbox.add(Notice(target, RESULT, body, self._clock()))
            return rows.outbox.added

    def _targets(self, rows: Rows, caller: Caller, about: About) -> tuple[str, ...]:
        wanted = (caller.originator,) if about.targets is None else about.targets
        if len(wanted) > _MOST_TARGETS:
            raise BadRequest(f"X-M2M-RTU: wanted at most {_MOST_TARGETS}")
        own = caller.ae
        points = own.attributes.get("poa", ()) if own is not None else ()
        found = []
        for address in wanted:
            is_own = address in points or (own is not None and address in (own.ri, own.path))
            target = notifying.target_of(rows, self._cse, address) if is_own else None
            if target is None:
                raise BadRequest(
                    f"X-M2M-RTU: {address[:64]} is neither a poa of your AE nor an AE of yours "
                    "that has a poa or a polling channel"
                )
            found.append(target)
        return tuple(dict.fromkeys(found))

    def _drafted(self, originator: str, request: Request, about: About) -> Resource:
        now = timestamp(self._clock())
        ri = creation.new_ri(types.TYPES[types.REQUEST])
        attributes = {
            "lbl": [originator],
            "op": _NUMBERS[request.operation],
            "tg": request.to,
            "org": originator,
            "rid": about.id,
            "mi": _meta_information(request, about, now),
            "rs": PENDING,
            "ors": {"rsc": ACCEPTED, "rqi": about.id},
        }
        if request.document:
            attributes["pc"] = dict(request.document)
        return Resource(
            ri=ri,
            ty=types.REQUEST,
            rn=ri,
            pi=self._cse.id,
            path=f"{self._cse.name}/{ri}",
            owner=None,
            ct=now,
            lt=now,
            et=timestamp(about.ends_s),
            attributes=attributes,
            creator=originator,
        )

    def _concluded(self, kept: Resource, rsc: int, document: Any) -> Resource:
        now = timestamp(self._clock())
        was_done = 2000 <= rsc < 3000
        result = {
            "rsc": rsc,
            "rqi": kept.attributes["rid"],
            "to": kept.attributes["org"],
            "fr": f"/{self._cse.id}",
            "ot": now,
        }
        if document is not None:
            result["pc"] = document
        status = {"rs": COMPLETED if was_done else FAILED, "ors": result}
        return replace(kept, attributes={**kept.attributes, **status}, lt=now)


def _meta_information(request: Request, about: About, now: str) -> Mapping[str, Any]:
    response: dict[str, Any] = {"rtv": request.response_type.value}
    if about.targets is not None:
        response["nu"] = list(about.targets)
    found: dict[str, Any] = {
        "ot": now,
        "rqet": timestamp(about.ends_s),
        "rt": response,
        "rcn": request.content.value,
        "rvi": request.release,
    }
    optional = {"ty": request.ty, "rp": request.persistence, "vsi": about.vendor}
    return found | {name: value for name, value in optional.items() if value is not None}

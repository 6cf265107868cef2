# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Several creations under one resource in one transaction, for the administrator.

oneM2M has one creation to a request. The configuration server makes eight objects under each
device's node, and each commit waits for the disk:

    POST /children/{path of the resource}   {"made": [{"ty": 13, "pc": {…}}, …]}
"""

from collections.abc import Callable, Mapping
from typing import Any

from muster_server.lane import afterwards
from muster_server.platform_server import addressing, serialization, sightings
from muster_server.platform_server import response_codes as codes
from muster_server.platform_server.access import ADMIN, Caller
from muster_server.platform_server.addressing import CSE, Target
from muster_server.platform_server.notifying import VerificationNeeded
from muster_server.platform_server.primitives import Content, Operation, Request, Response
from muster_server.platform_server.service import Platform
from muster_server.store.platform import NotAlone, PlatformStore, Rows
from muster_server.store.platform_outbox import Notice

MOST = 32  # creations at once
_RELEASE = "4"

Creation = tuple[int, Mapping[str, Any]]  # a type, and the document of a resource of this type


class Children:
    """Makes them. Each is refused for itself, as if it had come alone."""

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

    def make(self, path: str, creations: list[Creation]) -> list[Response]:
        """One response for each, in their order. Raises NotFound if there is no such resource, or
        BadRequest if that is no address; Unavailable if the database is busy.
        """
        requests = [_request(path, *creation) for creation in creations]
        try:
            return self._make(path, requests, self._about(requests))
        except NotAlone:
            return self._make(path, requests, None)

    def _about(self, requests: list[Request]) -> frozenset[str] | None:
        each = [self._platform.about(request) for request in requests]
        known = [about for about in each if about is not None]
        return frozenset().union(*known) if len(known) == len(each) else None

    def _make(
        self, path: str, requests: list[Request], about: frozenset[str] | None
    ) -> list[Response]:
        caller = Caller(ADMIN, True, None)
        with self._store.transaction(about) as rows:
            self._platform.remove_expired(rows)
            answers: list[Response] = []
            for request in requests:
                target = addressing.locate(rows, self._cse, path)
                answers.append(self._made(rows, caller, target, request))
        added = rows.outbox.added
        afterwards(lambda: self._deliver(added))
        return answers

    def _made(self, rows: Rows, caller: Caller, target: Target, request: Request) -> Response:
        noticed = len(rows.outbox.added)
        try:
            with rows.part():
                answer = self._platform.carry_out(rows, caller, target, request)
                sightings.note_done(rows, request, target.resource, self._clock())
            return answer
        except codes.RequestRefused as error:
            refusal = error
        except VerificationNeeded:
            refusal = codes.BadRequest("a subscription whose targets are asked is made alone")
        del rows.outbox.added[noticed:]
        return Response(refusal.rsc, {"m2m:dbg": str(refusal)})


def _request(path: str, ty: int, document: Mapping[str, Any]) -> Request:
    return Request(
        operation=Operation.CREATE,
        to=path,
        originator=ADMIN,
        release=_RELEASE,
        content=Content.ATTRIBUTES,
        ty=ty,
        document=document,
    )


def creations_in(body: bytes) -> list[Creation]:
    """Read the body of a request. Raises BadRequest if it is no list of creations."""
    wanted = codes.BadRequest(
        f'wanted {{"made": […]}} with 1 to {MOST} of {{"ty": 13, "pc": {{…}}}}'
    )
    found = serialization.decoded(body, serialization.DEFAULT).get("made")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise wanted
    creations: list[Creation] = []
    for each in found:
        ty, document = (each.get("ty"), each.get("pc")) if isinstance(each, dict) else (None, None)
        if type(ty) is not int or not isinstance(document, dict):
            raise wanted
        creations.append((ty, document))
    return creations


def shown(answers: list[Response]) -> dict[str, Any]:
    """The body of the answer: a response status code and a document for each."""
    return {"made": [{"rsc": answer.rsc, "pc": answer.document} for answer in answers]}

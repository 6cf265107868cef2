# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Events of devices, in the order in which they were written down, for who wants to be told.

Read from the history by its numbers, some at a time, so that nobody who writes waits for it.
"""

from typing import Annotated, Any

from fastapi import FastAPI, Query
from fastapi.responses import Response

from muster_server.config_server.label_uses import COPIED
from muster_server.document import LARGEST_INT
from muster_server.store.config import ConfigStore
from muster_server.web import json_response

_LOOKED_AT = 2000  # moments of all owners, with each question
# Moments that this server writes down, and what they are called outside.
_EVENTS = {
    "claimed": "device.added",
    "proved": "device.configured",
    "released": "device.removed",
    COPIED: "device.label_copied",
}
_FAILED = "device.failed"


class EventService:
    """Rules for events. Knows no HTTP."""

    def __init__(self, store: ConfigStore) -> None:
        self._store = store

    def after(self, owner: str, place: int | None) -> dict[str, Any]:
        """Return the owner's events after this place, and the place to go on from.

        Without a place there are none: it is where the newest is. A place beyond that is of a
        database that was restored since, and means the newest, too.

        Unavailable while a moment with a lower number than the newest is still to come.
        """
        with self._store.reading() as records:
            newest = records.history.newest_id()
        if place is None or place >= newest:
            return {"events": [], "next": newest}
        last = min(newest, place + _LOOKED_AT)
        # Who goes on from there looks at nothing before it again.
        self._store.settle()
        with self._store.reading() as records:
            found = records.history.between(place, last)
        events = [event for m in found if m["owner"] == owner and (event := event_of(m))]
        return {"events": events, "next": last}


def event_of(moment: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a moment is called outside; None if it is no event. No detail is in it."""
    name = _EVENTS.get(moment["what"])
    if moment["what"] == "step" and moment["source"] == "device" and moment["code"] != "ok":
        name = _FAILED
    if name is None:
        return None
    kept = {key: moment[key] for key in ("id", "device_id", "at", "step", "code")}
    return {"event": name, **kept}


def add_events(app: FastAPI, events: EventService, guard: Any) -> None:
    """The route, for holders of the token that `guard` asks for."""

    @app.get("/v1/events", dependencies=[guard])
    def show(
        owner: str, after: Annotated[int | None, Query(ge=0, le=LARGEST_INT)] = None
    ) -> Response:
        return json_response(events.after(owner, after))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The live page: nine steps in four words, as they happen, until the first reading is there."""

from typing import Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from muster_server.api.queries import WantedReadings
from muster_server.errors import HostError, NotFound
from muster_server.portal.pages import words
from muster_server.portal.pages.ground import Ground
from muster_server.portal.pages.sessions import Reading, cookie_of
from muster_server.portal.people import Visitor


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    @pages.get("/devices/{device_id}/live")
    def live_page(request: Request, device_id: str, visitor: Reading) -> Response:
        return ground.page(request, "live.html", **watched(ground, visitor, device_id))

    @pages.get("/devices/{device_id}/live/stream")
    async def stream(
        request: Request,
        device_id: str,
        visitor: Reading,
        last_event_id: str | None = Header(default=None),
    ) -> Response:
        cookie = cookie_of(request)

        def ask() -> dict[str, Any]:
            # Each time: who has signed out meanwhile sees no more.
            now = ground.people.visitor(cookie)
            if now is None or now.user.id != visitor.user.id:
                raise NotFound("nobody has signed in any more")
            values = watched(ground, now, device_id)
            html = ground.text(request, "_live.html", **values)
            return {"html": html, "is_over": values["reading"] is not None}

        return await ground.streams.follow(ask, last_event_id)


def watched(ground: Ground, visitor: Visitor, device_id: str) -> dict[str, Any]:
    """Return what the live page shows. NotFound if it is not a device of the visitor's."""
    device = ground.portal.device(device_id, visitor.caller.owner)
    stages = stages_of(device["steps"])
    failed = words.mend_of(device)
    if failed is None:  # the first that is not done is under way
        waits = [n for n, state in enumerate(stages) if state == "pending"]
        if waits:
            stages[waits[0]] = "now"
    is_at_work = stages[-1] == "done" and failed is None
    return {
        "device": device,
        "stages": [
            {"word": word, "means": means, "state": state}
            for (word, means, _), state in zip(words.STAGES, stages, strict=True)
        ],
        "mend": failed,
        "at_fault": words.networks_at_fault(device),
        "unheard": None if is_at_work else words.unheard(device),
        "led": led_of(device, stages, failed is not None),
        "is_at_work": is_at_work,
        "reading": first_reading(ground, visitor, device) if is_at_work else None,
    }


def stages_of(steps: list[dict[str, Any]]) -> list[str]:
    """Return the state of each stage. Who has done a later one has done those before, seen or not:
    of a device that was configured by hand nobody saw how it joined.
    """
    stages = [stage_of(numbers, steps) for _, _, numbers in words.STAGES]
    last = max((n for n, state in enumerate(stages) if state == "done"), default=-1)
    return ["done" if n <= last else state for n, state in enumerate(stages)]


def stage_of(numbers: tuple[int, ...], steps: list[dict[str, Any]]) -> str:
    """Return "done", "failed" or "pending" for several steps together."""
    states = {steps[number - 1]["state"] for number in numbers}
    if "failed" in states:
        return "failed"
    return "done" if states == {"done"} else "pending"


def led_of(device: dict[str, Any], stages: list[str], is_failed: bool) -> str | None:
    """Return the pattern that the device should show now; None while nobody can know."""
    if is_failed:
        return "failed"
    if stages[-1] == "done":
        return "committed"
    if stages[1] == "done":
        return "trial"
    return "seek" if device["window"]["open"] else None


def first_reading(
    ground: Ground, visitor: Visitor, device: dict[str, Any]
) -> dict[str, Any] | None:
    """The newest reading there is; None if there is none, or the platform does not tell."""
    wanted = WantedReadings(limit=1)
    try:
        found = ground.portal.readings(device["device_id"], visitor.caller.owner, wanted)
    except HostError:
        return None
    readings = found["readings"]
    return readings[0] if readings else None

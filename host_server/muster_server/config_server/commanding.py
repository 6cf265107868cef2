# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Commands to a device: content instances in its container of that name, and what it answered."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from muster_server.api import bounds
from muster_server.config_server.containers import Container, Containers
from muster_server.config_server.instances import NOT_FOUND, OK, Place, ask, unix_time
from muster_server.config_server.readers import APPLICATION
from muster_server.document import check_depth, check_numbers, compact_json
from muster_server.errors import Conflict, Invalid, NotFound, ServiceUnreachable

COMMANDS, RESULTS = "commands", "results"  # as firmware/muster/commands.py makes them
_CONTENT_INSTANCE = 4
_CREATED, _NOT_ACCEPTABLE = 2001, 5207
_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)


class CommandService:
    """Puts commands where the device looks for them. Knows neither HTTP nor SQL."""

    def __init__(self, containers: Containers, clock: Callable[[], float]) -> None:
        self._containers = containers
        self._clock = clock

    def give(self, device_id: str, owner: str, value: Any, life_s: int) -> dict[str, Any]:
        """Have the device told this within so many seconds; the command, which waits for it.

        Invalid, NotFound, ServiceUnreachable; Conflict if the device takes no command now.
        """
        text = _checked(value)
        container = self._containers.of(device_id, owner, COMMANDS)
        expires_at = int(self._clock()) + life_s
        instance = {
            "cnf": "application/json:0",
            "con": text,
            "et": datetime.fromtimestamp(expires_at, UTC).strftime("%Y%m%dT%H%M%S"),
        }

        def put(place: Place) -> str:
            _need_room(place, container)
            return _put(place, container, instance)

        id_ = self._containers.asked(container, APPLICATION, put)
        return _shown(container, id_, "waiting", expires_at=float(expires_at))

    def progress(self, device_id: str, owner: str, id_: str) -> dict[str, Any]:
        """Return how far a command has come: "waiting", "done" or "failed" with the device's
        result, or "gone" if it neither waits nor has a result.

        NotFound, Conflict, ServiceUnreachable.
        """
        if not _ID.fullmatch(id_):
            raise NotFound("that is not the id of a command")
        container = self._containers.of(device_id, owner, COMMANDS)
        # In this order: the device tells its result before it removes the command.
        waiting = self._containers.asked(container, APPLICATION, _instances)
        results = self._containers.of(device_id, owner, RESULTS)
        for instance in reversed(self._containers.asked(results, APPLICATION, _instances)):
            result = _result(instance)
            if result.get("id") == id_:
                state = "done" if result.get("ok") is True else "failed"
                return _shown(container, id_, state, result.get("result"))
        for instance in waiting:
            if instance.get("ri") == id_:
                ends = unix_time(str(instance.get("et")))
                return _shown(container, id_, "waiting", expires_at=ends)
        return _shown(container, id_, "gone")


def _checked(value: Any) -> str:
    check_depth([value], "value", bounds.DEEPEST + 1)
    check_numbers(value, "value")
    text = compact_json(value)
    size = len(text.encode())
    if size > bounds.COMMAND_BYTES:
        wanted = f"wanted at most {bounds.COMMAND_BYTES} bytes of compact JSON, got {size}"
        raise Invalid(wanted, path="value")
    return text


def _need_room(place: Place, container: Container) -> None:
    """Conflict if there is no container, or a further command would push out the oldest."""
    code, content = ask(place, place.path, OK, NOT_FOUND)
    if code == NOT_FOUND:
        raise _takes_none(container)
    about = _document(content, "m2m:cnt")
    held, most = about.get("cni"), about.get("mni")
    if isinstance(held, int) and isinstance(most, int) and held >= most:
        raise Conflict(
            f"{held} commands wait for {container.device_id} already, and it keeps no more; try "
            "again when it has obeyed some"
        )


def _put(place: Place, container: Container, instance: dict[str, Any]) -> str:
    code, content = ask(
        place, place.path, _CREATED, NOT_FOUND, _NOT_ACCEPTABLE,
        body={"m2m:cin": instance}, ty=_CONTENT_INSTANCE,
    )  # fmt: skip
    if code == NOT_FOUND:
        raise _takes_none(container)
    if code == _NOT_ACCEPTABLE:
        raise Invalid("more than the device's container takes", path="value")
    id_ = _document(content, "m2m:cin").get("ri")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise ServiceUnreachable("the platform's answer holds no id of the command")
    return id_


def _takes_none(container: Container) -> Conflict:
    return Conflict(
        f"{container.device_id} takes no commands: its application has not asked for any yet "
        "(session.commands(), docs/onem2m.md)"
    )


def _instances(place: Place) -> list[dict[str, Any]]:
    """Content instances as the platform shows them; none if there is no container."""
    code, content = ask(place, f"{place.path}?rcn=4&ty=4", OK, NOT_FOUND)
    if code == NOT_FOUND:
        return []
    found = _document(content, "m2m:cnt").get("m2m:cin", [])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _document(content: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(content)[name]
    except (ValueError, LookupError, TypeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ServiceUnreachable(f"the platform's answer is not {name}")
    return found


def _result(instance: dict[str, Any]) -> dict[str, Any]:
    content = instance.get("con")
    try:
        result = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        result = None
    return result if isinstance(result, dict) else {}


def _shown(
    container: Container,
    id_: str,
    state: str,
    result: Any = None,
    expires_at: float | None = None,
) -> dict[str, Any]:
    return {
        "device_id": container.device_id,
        "id": id_,
        "state": state,
        "result": result,
        "expires_at": expires_at,
    }

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tasks at the portal: many devices by a table, and changes of many at once.

A table is read here; what is left of it are rows, which the configuration server keeps and does.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from muster_server.api.bodies import NewChange
from muster_server.api.bounds import TASK_ROWS
from muster_server.api.queries import WantedDevices, WantedRows
from muster_server.bulk_table import MOST_ROWS, looked_through
from muster_server.errors import Invalid, NotFound
from muster_server.label_table import rows_in
from muster_server.portal.access import Caller
from muster_server.portal.service import Portal
from muster_server.safe_csv import csv_row

_LONGEST_NAME = 64
_LONGEST_DETAIL = 512
_A_PAGE = 1000
_HEAD = ("row", "device_id", "name", "verdict", "detail")


def begin_claims(portal: Portal, csv: str, profile: str, caller: Caller) -> dict[str, Any]:
    """Begin to try a table of labels: nothing is kept until the task is started.

    Raises Invalid for a table without rows or with too many, NotFound (profile), Conflict.
    """
    caller.need_profile(profile)
    found = rows_in(csv)
    if not found:
        raise Invalid("there is no label in this table", path="csv")
    if len(found) > MOST_ROWS:
        raise Invalid(f"wanted 1 to {MOST_ROWS} rows with labels, got {len(found)}", path="csv")
    task = _begun(portal, {"kind": "claim", "profile": profile}, caller)
    rows = [
        {
            "row": one.row,
            "label": one.label,
            "name": one.name[:_LONGEST_NAME],
            "device_id": one.device_id,
            "verdict": one.verdict or None,
            "detail": one.detail[:_LONGEST_DETAIL],
        }
        for one in looked_through(found)
    ]
    return _filled(portal, task, rows, caller, is_trial=True)


def begin_change(
    portal: Portal, devices: Sequence[str], change: NewChange, caller: Caller
) -> dict[str, Any]:
    """Begin to change these devices.

    Raises Invalid if nothing is to change, NotFound (profile).
    """
    if change == NewChange():
        raise Invalid("what shall change?", path="change")
    if change.profile is not None:
        caller.need_profile(change.profile)
    wanted = dict.fromkeys(device.upper() for device in devices)
    if not wanted:
        raise Invalid("no device is chosen", path="devices")
    task = _begun(portal, {"kind": "change", **change.model_dump()}, caller)
    rows = [{"row": n, "device_id": device} for n, device in enumerate(wanted, 1)]
    return _filled(portal, task, rows, caller, is_trial=False)


def all_ids(portal: Portal, wanted: WantedDevices, owner: str) -> Iterator[str]:
    """The ids of all devices of the owner that fit."""
    after: str | None = ""
    while after is not None:
        page = portal.devices(owner, wanted.model_copy(update={"after": after, "limit": _A_PAGE}))
        yield from (device["device_id"] for device in page["devices"])
        after = page["next"]


def start(portal: Portal, task_id: str, owner: str) -> dict[str, Any]:
    """Do what was tried. NotFound, or Conflict if it has ended."""
    return portal.ask("POST", _at(task_id, owner, "/start"), {"trial": False})


def shown(portal: Portal, task_id: str, owner: str) -> dict[str, Any]:
    """Return how far a task has come. NotFound."""
    return portal.ask("GET", _at(task_id, owner))


def listed(portal: Portal, owner: str) -> list[dict[str, Any]]:
    """The owner's tasks, the newest first."""
    found: list[dict[str, Any]] = portal.ask("GET", f"/v1/tasks?owner={quote(owner)}")["tasks"]
    return found


def rows(portal: Portal, task_id: str, owner: str, wanted: WantedRows) -> dict[str, Any]:
    """Return verdicts, some of them. NotFound."""
    query = urlencode(wanted.model_dump(exclude_none=True))
    return portal.ask("GET", _at(task_id, owner, "/rows") + f"&{query}")


def as_csv(portal: Portal, task_id: str, owner: str) -> Iterator[str]:
    """Return all verdicts as lines of CSV, which no table works out."""
    yield csv_row(_HEAD)
    after: int | None = 0
    while after is not None:
        page = rows(portal, task_id, owner, WantedRows(after=after, limit=_A_PAGE))
        yield from (csv_row(row[name] or "" for name in _HEAD) for row in page["rows"])
        after = page["next"]


def give_up(portal: Portal, task_id: str, owner: str) -> None:
    """Forget a task; what it has done stays. NotFound."""
    portal.ask("DELETE", _at(task_id, owner))


def _begun(portal: Portal, body: dict[str, Any], caller: Caller) -> str:
    path = f"/v1/tasks?owner={quote(caller.owner)}"
    return str(portal.ask("POST", path, {**body, "by": caller.name})["id"])


def _filled(
    portal: Portal, task_id: str, rows: list[dict[str, Any]], caller: Caller, *, is_trial: bool
) -> dict[str, Any]:
    for n in range(0, len(rows), TASK_ROWS[1]):
        lot = {"rows": rows[n : n + TASK_ROWS[1]]}
        portal.ask("POST", _at(task_id, caller.owner, "/rows"), lot)
    return portal.ask("POST", _at(task_id, caller.owner, "/start"), {"trial": is_trial})


def _at(task_id: str, owner: str, what: str = "") -> str:
    if not (task_id.isascii() and task_id.isalnum()):
        raise NotFound("there is no such task")
    return f"/v1/tasks/{task_id}{what}?owner={quote(owner)}"

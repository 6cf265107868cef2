# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster task`: what the portal does to many devices, a few at a time."""

import sys
from argparse import Namespace
from typing import Any
from urllib.parse import quote, urlencode

from muster_server.commands import at_portal, print_json, read_text, say
from muster_server.device_commands import pages
from muster_server.device_text import plain, when
from muster_server.safe_csv import csv_row

_A_PAGE = 1000
_HEAD = ("row", "device_id", "name", "verdict", "detail")


def claim_many(options: Namespace) -> int:
    """Begin to try a table of labels."""
    body = {"profile": options.profile, "csv": read_text(options.file)}
    return _tell(options, at_portal(options, "POST", "/v1/bulk/claims", body))


def change_many(options: Namespace) -> int:
    """Change all devices that fit, or those that are named."""
    devices = options.id or [device["device_id"] for device in pages(options)]
    body: dict[str, Any] = {"devices": devices}
    for name in ("added_tags", "removed_tags"):
        given = getattr(options, name) or ""
        body[name] = [tag.strip() for tag in given.split(",") if tag.strip()]
    body |= {"profile": options.new_profile, "group": options.new_group}
    return _tell(options, at_portal(options, "POST", "/v1/bulk/changes", body))


def list_tasks(options: Namespace) -> int:
    """A line for each task, the newest first."""
    found = at_portal(options, "GET", "/v1/tasks")
    if options.json:
        return print_json(found)
    lines = [_line(task) for task in found["tasks"]]
    return say(*lines or ["there is no task yet"])


def show_task(options: Namespace) -> int:
    """Say how far a task has come; with --csv the verdict on each row."""
    if not options.csv:
        return _tell(options, at_portal(options, "GET", _path(options)))
    sys.stdout.write(csv_row(_HEAD))
    after: int | None = 0
    while after is not None:
        query = urlencode({"limit": _A_PAGE, "after": after})
        page = at_portal(options, "GET", f"{_path(options)}/rows?{query}")
        for row in page["rows"]:
            sys.stdout.write(csv_row(row[name] or "" for name in _HEAD))
        after = page["next"]
    return 0


def start_task(options: Namespace) -> int:
    """Do what was tried."""
    return _tell(options, at_portal(options, "POST", _path(options) + "/start"))


def end_task(options: Namespace) -> int:
    """Forget a task; what it has done stays."""
    at_portal(options, "DELETE", _path(options))
    return print_json({}) if options.json else 0


def _path(options: Namespace) -> str:
    return f"/v1/tasks/{quote(options.task, safe='')}"


def _tell(options: Namespace, task: dict[str, Any]) -> int:
    if options.json:
        return print_json(task)
    counts = task["verdicts"].items()
    verdicts = ", ".join(f"{count} {_said(task, verdict)}" for verdict, count in counts)
    lines = [_line(task), *([verdicts] if verdicts else [])]
    if task["state"] == "looked":
        lines.append(f"nothing is kept yet; muster task start {task['id']}   does it")
    return say(*lines)


def _said(task: dict[str, Any], verdict: str) -> str:
    """Say a verdict: while rows are only looked at, none of them is added."""
    is_tried = task["state"] in ("looking", "looked")
    return "can be added" if is_tried and verdict == "added" else verdict


def _line(task: dict[str, Any]) -> str:
    about = f"{task['id']}  {task['kind']:<7} {task['state']:<8} {task['done']} of {task['total']}"
    return plain(f"{about}  {when(task['created_at'])}  {task['by']}")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Devices as lines of text, for terminals. What came from outside is shown without what could
steer one.
"""

import time
from typing import Any

_MARKS = {"done": "ok", "failed": "FAILED", "pending": "…"}
_HEADER = ("DEVICE", "NAME", "PROFILE", "RUNS", "NEWEST ATTEMPT", "LAST HEARD", "WAITS FOR")
_WIDEST = 32


def plain(text: object) -> str:
    """The text as a terminal may show it: others have chosen it."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def when(at: float | None) -> str:
    """A moment in local time."""
    if at is None:
        return "?"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def device_lines(device: dict[str, Any]) -> list[str]:
    """The four facts, the nine steps, and what the owner was told."""
    title = plain(f"{device['device_id']}  {device['name']}").rstrip()
    lines = [f"{title}: {device['state']} (claim {device['claim']})", *_facts(device)]
    for step in device["steps"]:
        ms = "" if step["ms"] is None else f"{step['ms']} ms"
        ms = "by bundle" if step.get("by") == "bundle" else ms
        mark = _MARKS[step["state"]]
        lines.append(f"{step['step']}  {step['name']:<42}  {mark:<6}  {ms}".rstrip())
    if device["bundle"]:
        bundle = device["bundle"]
        lines.append(f"bundle: version {bundle['version']}, {bundle['state']}")
    for event in device["events"]:
        lines.append(f"{when(event['at'])}  {plain(event['sentence'])}")
    return lines


def _facts(device: dict[str, Any]) -> list[str]:
    lines = [f"runs            {runs(device)}", f"newest attempt  {attempt(device)}"]
    tried = device["attempt"]
    if tried is not None and tried["state"] == "failed":
        lines.append(f"  {plain(tried['sentence'])}")
    if device["group"] or device["tags"]:
        where = ", ".join(filter(None, (device["group"], *device["tags"])))
        lines.append(f"group, tags     {plain(where)}")
    waiting = device["waiting_for"]
    about = f" (about {when(waiting['at'])})" if waiting["at"] is not None else ""
    lines.append(f"waits for       {waiting['who']}{about}")
    lines.append(f"  {plain(waiting['sentence'])}")
    lines.append(f"last heard      {heard(device)}")
    given = (device["device"] or {}).get("local_networks")
    if given:
        lines.append(f"given networks  {plain(', '.join(given))} (at its setup page)")
    used = device["label_used"]
    if used is not None:
        lines.append(f"label used      {when(used['at'])}, from {used['address']}, not proved")
    return lines


def runs(device: dict[str, Any]) -> str:
    """Say what it runs, e.g. "version 2 since 2026-11-23 08:00:00"."""
    found = device["runs"]
    if found is None:
        return "nothing"
    version = "a version that nobody proved"
    if found["version"] is not None:
        version = f"version {found['version']}"
    doubt = "" if found["is_certain"] else ", unless it was reset"
    return f"{version} since {when(found['since'])}{doubt}"


def attempt(device: dict[str, Any]) -> str:
    """Say how the newest try went, e.g. "version 3 failed at step 8, wifi_auth"."""
    found = device["attempt"]
    if found is None:
        return "none yet"
    version = "" if found["version"] is None else f"version {found['version']} "
    if found["state"] == "ok":
        return f"{version}ok, {when(found['at'])}"
    if found["state"] == "under_way":
        return f"{version}under way, step {found['step']} of 9"
    return plain(f"{version}failed at step {found['step']}, {found['code']}, {when(found['at'])}")


def heard(device: dict[str, Any]) -> str:
    """Say when it was heard last, and where from."""
    found = device["last_heard"]
    if found is None:
        return "never"
    source = {"receipt": "by its receipt", "platform": "at its platform"}.get(found["by"], "")
    if found["address"]:
        source = f"from {found['address']}"
    return f"{when(found['at'])} {source}".rstrip()


def list_lines(devices: list[dict[str, Any]]) -> list[str]:
    """A table with a header, a device a line."""
    rows = [_HEADER, *(_row(device) for device in devices)]
    widths = [min(_WIDEST, max(len(row[n]) for row in rows)) for n in range(len(_HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(device: dict[str, Any]) -> tuple[str, ...]:
    found, tried, last = device["runs"], device["attempt"], device["last_heard"]
    number = "-" if found is None else str(found["version"] or "?")
    doubt = "" if found is None or found["is_certain"] else "?"
    went = "-"
    if tried is not None:
        version = "" if tried["version"] is None else f"{tried['version']}: "
        word = {"ok": "ok", "under_way": f"step {tried['step']}"}.get(tried["state"])
        went = f"{version}{word or str(tried['step']) + ' ' + tried['code']}"
    cells = (
        device["device_id"],
        device["name"],
        device["profile"],
        number + doubt,
        went,
        "never" if last is None else when(last["at"]),
        f"{device['waiting_for']['who']}: {device['waiting_for']['what']}"
        if device["waiting_for"]["who"] != "nothing"
        else "nothing",
    )
    return tuple(plain(cell) for cell in cells)

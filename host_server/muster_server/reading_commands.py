# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands for what devices publish, and for the accounts of those who read it."""

import csv
import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from muster_server.commands import at_portal, device_path, print_json, say
from muster_server.device_text import plain, when
from muster_server.errors import ServiceUnreachable, SettingsError

_LOOK_S = 1.0
_GIVE_UP_S = 600.0
_COLUMNS = ("time", "device", "name", "value")


def show_readings(options: Namespace) -> int:
    """Show the newest readings, oldest first; with --follow, those that come, too.

    SettingsError if the options contradict each other.
    """
    if options.csv and options.json:
        raise SettingsError("--csv and --json cannot both be meant")
    pages = _followed(options) if options.follow else iter([_page(options, None)])
    if options.json and not options.follow:
        return print_json(next(pages))
    if options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerow(_COLUMNS)
    count = 0
    for page in pages:
        if page["is_gap"]:
            print("muster: some readings between were not seen", file=sys.stderr)
        for reading in page["readings"]:
            count += 1
            _show(options, page["device_id"], reading)
        sys.stdout.flush()
    if count == 0 and not options.csv:
        say("nothing was published yet")
    return 0


def add_reader(options: Namespace) -> int:
    """Make a reader, and say how it reads."""
    kind = "application" if options.application else "reader"
    reader = at_portal(options, "POST", "/v1/readers", {"name": options.name, "kind": kind})
    if options.json:
        return print_json(reader)
    more = "and commands them" if kind == "application" else "and does nothing else"
    return say(
        f"platform    {reader['platform']}",
        f"originator  {reader['originator']}",
        f"token       {reader['token']}",
        f"The token is shown this once. It reads your devices, {more}; how:",
        "docs/reading-data.md.",
    )


def list_readers(options: Namespace) -> int:
    """One line per reader."""
    answer = at_portal(options, "GET", "/v1/readers")
    if options.json:
        return print_json(answer)
    lines = [
        f"{reader['name']:<32}  {reader['kind']:<11}  {reader['originator']:<23}  "
        f"{when(reader['created_at'])}"
        for reader in answer["readers"]
    ]
    return say(*(lines or ["there is no reader yet"]))


def remove_reader(options: Namespace) -> int:
    """Close the reader's account."""
    at_portal(options, "DELETE", f"/v1/readers/{quote(options.name, safe='')}")
    if options.json:
        return print_json({})
    return say(f'reader "{options.name}" is gone, and its token good for nothing')


def _page(options: Namespace, after: str | None) -> dict[str, Any]:
    query = urlencode({} if after is None else {"after": after, "limit": 1000})
    return at_portal(options, "GET", f"{device_path(options)}/readings?{query}")


def _followed(options: Namespace) -> Iterator[dict[str, Any]]:
    """Pages as they come, through restarts of the servers. ServiceUnreachable if those do not come
    back.
    """
    after: str | None = None
    answered_at, is_told = time.monotonic(), False
    while True:
        try:
            page = _page(options, after)
        except ServiceUnreachable as error:
            if after is None or time.monotonic() - answered_at > _GIVE_UP_S:
                raise
            if not is_told:
                print(f"muster: {error}; it is asked again until Ctrl-C", file=sys.stderr)
            is_told = True
        else:
            answered_at, is_told = time.monotonic(), False
            if page["readings"]:
                after = page["readings"][-1]["id"]
            yield page
        time.sleep(_LOOK_S)


def _show(options: Namespace, device_id: str, reading: dict[str, Any]) -> None:
    if options.json:
        print_json(reading)
        return
    value = reading["value"]
    text = plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    if options.csv:
        row = (_iso(reading["at"]), device_id, _cell(reading["name"] or ""), _cell(text, value))
        csv.writer(sys.stdout, lineterminator="\n").writerow(row)
    else:
        print(f"{when(reading['at'])}  {plain(reading['name'] or '-'):<16}  {text}")


def _iso(at: float | None) -> str:
    if at is None:
        return ""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _cell(text: str, value: Any = "") -> str:
    """Text that no table takes for a formula; numbers are left as they are."""
    text = plain(text)
    is_text = isinstance(value, str)
    return f"'{text}" if is_text and text[:1] in ("=", "+", "-", "@") else text

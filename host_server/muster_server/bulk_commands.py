# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster device add --csv`: many devices at once, with a verdict for each row.

What is registered already is left alone, so the same call goes on where one was cut off.
"""

import sys
from argparse import Namespace
from typing import Any
from urllib.parse import quote, urlencode

from muster_server.commands import Refused, add_device, at_portal, print_json, read_text
from muster_server.errors import HostError, LabelRefused, SettingsError
from muster_server.label import parse_label
from muster_server.label_table import Row, rows_in

_PAGE = 1000
MOST_ROWS = 1000


def add(options: Namespace) -> int:
    """Step 1, for one device or for a table of them."""
    return _add_table(options) if options.csv else add_device(options)


def _add_table(options: Namespace) -> int:
    """One verdict per row: added, known, would be added, or refused; 1 if any was refused.

    Raises SettingsError if there are no rows, or too many.
    """
    rows = rows_in(read_text(options.csv))
    if not 1 <= len(rows) <= MOST_ROWS:
        raise SettingsError(f"--csv: wanted 1 to {MOST_ROWS} rows with labels, got {len(rows)}")
    at_portal(options, "GET", f"/v1/profiles/{quote(options.profile, safe='')}")
    known = _known(options)
    verdicts: list[dict[str, Any]] = []
    for row in rows:
        try:
            verdict = _verdict(options, row, known)
        except Refused as error:
            verdict = {"device_id": None, "verdict": "refused", "detail": str(error)}
        except HostError as error:
            _tell(options, verdicts)
            done = f"{len(verdicts)} of {len(rows)} rows were done; the same call goes on there"
            raise type(error)(f"{error}; {done}") from None
        verdicts.append({"row": row.number, **verdict})
        if sys.stderr.isatty():
            print(f"\r{len(verdicts)} of {len(rows)}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    return _tell(options, verdicts)


def _verdict(options: Namespace, row: Row, known: set[str]) -> dict[str, Any]:
    try:
        label = parse_label(row.label)
    except LabelRefused as error:
        return {"device_id": None, "verdict": "refused", "detail": str(error)}
    found = {"device_id": label.device_id, "detail": ""}
    if label.device_id in known:
        return found | {"verdict": "known"}
    if not options.dry_run:
        body = {"label": label.qr_text, "profile": options.profile, "name": row.name}
        try:
            at_portal(options, "POST", "/v1/devices", body)
        except Refused as error:
            return found | {"verdict": "refused", "detail": str(error)}
    known.add(label.device_id)
    return found | {"verdict": "would be added" if options.dry_run else "added"}


def _known(options: Namespace) -> set[str]:
    found: set[str] = set()
    after: str | None = ""
    while after is not None:
        query = urlencode({"limit": _PAGE, "after": after})
        answer = at_portal(options, "GET", f"/v1/devices?{query}")
        found |= {device["device_id"] for device in answer["devices"]}
        after = answer["next"]
    return found


def _tell(options: Namespace, verdicts: list[dict[str, Any]]) -> int:
    if options.json:
        print_json({"devices": verdicts})
    else:
        for one in verdicts:
            name = one["device_id"] or "?"
            line = f"row {one['row']:<5} {name:<32}  {one['verdict']:<14}  {one['detail']}"
            print(line.rstrip())
    return 1 if any(one["verdict"] == "refused" for one in verdicts) else 0

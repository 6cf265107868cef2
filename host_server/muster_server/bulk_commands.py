# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster device add --csv`: many devices at once, with a verdict for each row.

What is registered already is left alone, so the same call goes on where one was cut off.
"""

from argparse import Namespace
from collections import Counter
from urllib.parse import quote

from muster_server.bulk_table import MOST_ROWS, Verdict, looked_through
from muster_server.commands import add_device, at_portal, print_json, read_text
from muster_server.errors import HostError, SettingsError
from muster_server.label_table import rows_in
from muster_server.progress import counted

# Fewer than the portal takes: what is said of the progress is newer, and no answer takes long.
_AT_ONCE = 200


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
    verdicts = list(looked_through(rows))
    asked = [one for one in verdicts if one.label is not None]
    batches = [asked[n : n + _AT_ONCE] for n in range(0, len(asked), _AT_ONCE)]
    done = 0
    for batch in counted(batches, f"lots of {_AT_ONCE} rows"):
        try:
            _ask(options, batch)
        except HostError as error:
            _tell(options, [one for one in verdicts if one.verdict])
            part = f"{done} of {len(asked)} labels were registered; the same call goes on there"
            raise type(error)(f"{error}; {part}") from None
        done += len(batch)
    return _tell(options, verdicts)


def _ask(options: Namespace, batch: list[Verdict]) -> None:
    devices = [{"label": one.label, "name": one.name} for one in batch]
    body = {"profile": options.profile, "devices": devices, "trial": options.dry_run}
    answers = at_portal(options, "POST", "/v1/bulk/devices", body)["devices"]
    for one, answer in zip(batch, answers, strict=True):
        one.verdict, one.detail = answer["verdict"], answer["detail"]
        if options.dry_run and one.verdict == "added":
            one.verdict = "would be added"


def _tell(options: Namespace, verdicts: list[Verdict]) -> int:
    if options.json:
        print_json({"devices": [one.document() for one in verdicts]})
    else:
        for one in verdicts:
            name = one.device_id or "?"
            print(f"row {one.row:<6} {name:<32}  {one.verdict:<14}  {one.detail}".rstrip())
        counts = Counter(one.verdict for one in verdicts)
        print(", ".join(f"{number} {verdict}" for verdict, number in counts.items()))
    return 1 if any(one.verdict == "refused" for one in verdicts) else 0

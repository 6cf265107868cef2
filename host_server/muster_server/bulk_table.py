# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A table of labels as the portal's pages, its API and `muster device add --csv` read it: what can
be told of each row before anybody is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from muster_server.errors import LabelRefused
from muster_server.label import parse_label
from muster_server.label_table import Row

MOST_ROWS = 100_000
_LONGEST_NAME = 64


@dataclass
class Verdict:
    """The verdict on a row; one with a `label` is the portal's to give."""

    row: int
    device_id: str | None = None
    label: str | None = None
    name: str = ""
    verdict: str = ""
    detail: str = ""

    def document(self) -> dict[str, Any]:
        """The verdict as JSON has it."""
        names = ("row", "device_id", "verdict", "detail")
        return {name: getattr(self, name) for name in names}


def looked_through(rows: list[Row]) -> Iterator[Verdict]:
    """Verdicts on what can be told without the portal; the others stay open."""
    seen: dict[str, int] = {}
    for row in rows:
        try:
            label = parse_label(row.label)
        except LabelRefused as error:
            yield Verdict(row.number, verdict="refused", detail=str(error))
            continue
        text, about = label.qr_text, Verdict(row.number, label.device_id, name=row.name)
        if text in seen:
            about.verdict, about.detail = "known", f"the same label as in row {seen[text]}"
        elif len(row.name) > _LONGEST_NAME:
            about.verdict = "refused"
            about.detail = f"name: wanted at most {_LONGEST_NAME} characters, got {len(row.name)}"
        else:
            seen[text], about.label = row.number, text
        yield about

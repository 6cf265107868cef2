# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster label sheet`: labels for printing, each with its QR code and all that it says."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from muster_server.commands import read_text, say
from muster_server.errors import LabelRefused, SettingsError
from muster_server.label_drawing import drawn
from muster_server.label_sizes import sheet_named
from muster_server.label_table import Row, rows_in
from muster_server.private_files import check_place, named, write_private
from muster_server.progress import counted

if TYPE_CHECKING:  # it takes long to import, and not every command needs it
    from muster_server.label import Label

MOST = 10_000


def print_sheet(options: Namespace) -> int:
    """Draw the labels of a table into a PDF, for its owner alone.

    Raises SettingsError if there are none, if one of them is no label, or if a size is too small.
    """
    sheet = sheet_named(options.size)
    path = Path(options.pdf)
    if not 1 <= options.first <= sheet.count:
        raise SettingsError(f"--first: a sheet has places 1 to {sheet.count}, got {options.first}")
    rows = rows_in(read_text(options.file))
    if not 1 <= len(rows) <= MOST:
        raise SettingsError(f"{options.file}: wanted 1 to {MOST} labels, got {len(rows)}")
    labels = [_label_in(options.file, row) for row in rows]
    shown = counted(labels, "labels drawn")
    with named("--pdf", path):
        check_place(path)
        write_private(path, drawn(shown, sheet, options.first - 1, options.outline))
    pages = -(-(options.first - 1 + len(labels)) // sheet.count)
    return say(
        f"{path}: {len(labels)} labels on {pages} {'page' if pages == 1 else 'pages'}. It holds "
        "their secrets: print it at 100 %, then remove it."
    )


def _label_in(file: str, row: Row) -> "Label":
    from muster_server.label import parse_label

    try:
        return parse_label(row.label)
    except LabelRefused as error:
        raise SettingsError(f"{file}: row {row.number}: {error}") from None

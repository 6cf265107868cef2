# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Labels in a table: the CSV of a bulk registration, as benches and spreadsheets write it."""

import csv
from dataclasses import dataclass, field

_MARK = "MUSTER:"
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """A row of the table: its line as an editor counts, its label, and the device's name if a
    column is headed so."""

    number: int
    label: str = field(repr=False)
    name: str = ""


def rows_in(text: str) -> list[Row]:
    """Find labels as `labels_in` does, with names from the column that is headed "name"."""
    numbered = [
        (number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
        if line.strip()
    ]
    if not numbered:
        return []
    delimiter = max(_DELIMITERS, key=numbered[0][1].count)
    heading = [cell.lower() for cell in _cells(numbered[0][1], delimiter)]
    has_heading = _MARK not in numbered[0][1].upper()
    column = heading.index("name") if has_heading and "name" in heading else None
    rows = []
    for number, line in numbered[1:] if has_heading else numbered:
        cells = _cells(line, delimiter)
        name = cells[column] if column is not None and column < len(cells) else ""
        rows.append(Row(number, _label_of(cells), name))
    return rows


def labels_in(text: str) -> list[str]:
    """The label of each row, as it stands there. A row is a line; empty ones do not count.

    A label is looked for from the right, and a row without one gives its last cell, so that
    whoever reads it can say what is wrong with which row. A first row without one is a heading.
    """
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    if not lines:
        return []
    delimiter = max(_DELIMITERS, key=lines[0].count)
    labels = [_label_of(_cells(line, delimiter)) for line in lines]
    return labels if _MARK in labels[0].upper() else labels[1:]


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        (row,) = csv.reader([line], delimiter=delimiter)
    except csv.Error:  # a cell without end
        return [line]
    return [cell.strip() for cell in row]


def _label_of(cells: list[str]) -> str:
    return next((cell for cell in reversed(cells) if _MARK in cell.upper()), cells[-1])

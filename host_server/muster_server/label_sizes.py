# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sheets of labels as they are sold, and rolls of one label after the other; lengths in mm."""

import re
from dataclasses import dataclass

from muster_server.errors import SettingsError

_A4 = (210.0, 297.0)
_LETTER = (215.9, 279.4)
_ROLL = re.compile(r"(\d{1,3}(?:\.\d)?)x(\d{1,3}(?:\.\d)?)")
_LEAST, _MOST = 10.0, 300.0


@dataclass(frozen=True)
class Sheet:
    """A page of equal labels: their size, how many, where the first is, from one to the next."""

    page: tuple[float, float]
    label: tuple[float, float]
    columns: int
    rows: int
    first: tuple[float, float] = (0.0, 0.0)  # of the page's upper left corner
    pitch: tuple[float, float] = (0.0, 0.0)

    @property
    def count(self) -> int:
        """The number of labels on a page."""
        return self.columns * self.rows

    def corner(self, number: int) -> tuple[float, float]:
        """Return the upper left corner of a label, counted from 0 along the rows."""
        row, column = divmod(number, self.columns)
        return self.first[0] + column * self.pitch[0], self.first[1] + row * self.pitch[1]


# As in the makers' own templates; one name for each size, with the numbers that it is sold under.
SHEETS = {
    "avery-l7160": Sheet(_A4, (63.5, 38.1), 3, 7, (7.2, 15.15), (66.04, 38.1)),
    "avery-l7159": Sheet(_A4, (63.5, 33.9), 3, 8, (7.2, 12.9), (66.04, 33.9)),
    "avery-l7163": Sheet(_A4, (99.1, 38.1), 2, 7, (4.65, 15.15), (101.6, 38.1)),
    "avery-l4736": Sheet(_A4, (45.7, 21.2), 4, 12, (9.8, 21.3), (48.3, 21.2)),
    "avery-l7651": Sheet(_A4, (38.1, 21.2), 5, 13, (4.75, 10.7), (40.6, 21.2)),
    "avery-3475": Sheet(_A4, (70.0, 36.0), 3, 8, (0.0, 4.5), (70.0, 36.0)),
    "avery-5160": Sheet(_LETTER, (66.675, 25.4), 3, 10, (4.76, 12.7), (69.85, 25.4)),
}
ALIASES = {
    "herma-4677": "avery-l7160",
    "herma-4645": "avery-l7159",
    "herma-4678": "avery-l7163",
    "herma-4346": "avery-l4736",
    "herma-4606": "avery-l7651",
    "herma-4453": "avery-3475",
    "avery-8160": "avery-5160",
}
USUAL = "avery-l7160"


def sheet_named(text: str) -> Sheet:
    """Find a sheet by its name; a size like "62x29" is a roll, with a page for each label.

    Raises SettingsError with the names there are.
    """
    name = text.lower()
    if found := SHEETS.get(ALIASES.get(name, name)):
        return found
    if roll := _ROLL.fullmatch(name):
        width, height = float(roll[1]), float(roll[2])
        if _LEAST <= width <= _MOST and _LEAST <= height <= _MOST:
            return Sheet((width, height), (width, height), 1, 1)
    raise SettingsError(
        f'--size: there is no "{text}"; there are {", ".join([*SHEETS, *ALIASES])}, and rolls '
        f'by width and height in mm ({_LEAST:.0f} to {_MOST:.0f}), such as "62x29"'
    )

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Leaves out what a device says again and again while it tries."""

import re

from muster_harness.commands.follow import highlighted

_STEP = re.compile(r"M \d+ [A-Z] step ([1-9]) ([a-z_]+) ")


class Retries:
    """Turns lines of a device's log into lines for a person.

    After a failure, what leads to the same failure is left out.
    """

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._failure: tuple[int, str] | None = None
        self._held: list[str] = []
        self._is_told = False  # that it goes on

    def lines(self, text: str) -> list[str]:
        """Return what this line of the log adds to what was shown."""
        line = highlighted(text, self._colour)
        found = _STEP.match(text)
        if found is None:
            return [line]
        step = int(found[1]), found[2]
        if step == self._failure:
            self._held.clear()
            news = [] if self._is_told else ["      … and so on, until something changes"]
            self._is_told = True
            return news
        if self._failure is not None and step[1] == "ok" and step[0] < self._failure[0]:
            self._held.append(line)
            return []
        lines, self._held = [*self._held, line], []
        self._failure, self._is_told = (None if step[1] == "ok" else step), False
        return lines

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Figures that the parts of a server tell operators, whatever collects them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Gauge:
    """Something that is counted when somebody asks."""

    name: str
    about: str
    # One value for each value of the label; without a label the key is "".
    values: dict[str, float]
    label: str = ""


class Source(Protocol):
    """A part of a server that has gauges, and can say whether it is ready."""

    def gauges(self) -> Iterable[Gauge]:
        """The figures as they are now. Raises HostError if they cannot be had."""

    def check(self) -> None:
        """Raises HostError if this part cannot do its work now."""

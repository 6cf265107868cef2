# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The figures of a fleet that the servers are to reach on two cores shared with the generator.

They depend on what else the machine does, so whoever measures is told what is not reached, and
`make bench` does not fail for it.
"""

from typing import NamedTuple


class Aim(NamedTuple):
    """A figure to reach, and one to wish for."""

    is_least: bool  # more is better
    wanted: float
    moonshot: float | None = None

    def is_reached(self, value: float) -> bool:
        """Tell whether this is enough."""
        return value >= self.wanted if self.is_least else value <= self.wanted

    def __str__(self) -> str:
        """Return it for people, e.g. "aim >= 300, moonshot 1000"."""
        far = "" if self.moonshot is None else f", moonshot {self.moonshot:g}"
        return f"aim {'>=' if self.is_least else '<='} {self.wanted:g}{far}"


AIMS = {
    "fleet.onboardings_per_s_16": Aim(True, 300, 1000),
    "fleet.onboarding_p99_ms": Aim(False, 250),
    "fleet.server_cpu_ms_per_onboarding": Aim(False, 3),
    "fleet.generator_cpu_ms_per_onboarding": Aim(False, 2),
    "fleet.ae_creates_vs_acme": Aim(True, 6, 10),
    "fleet.reading_ms_kept_alive": Aim(False, 3),
    "at_once.longest_sync_ms": Aim(False, 1000),
    "at_once.refused": Aim(False, 0),
}


def missed(found: dict[str, float]) -> list[str]:
    """Return a line for each aim that these figures do not reach."""
    return [
        f"{name} is {found[name]:g}, {aim}"
        for name, aim in AIMS.items()
        if name in found and not aim.is_reached(found[name])
    ]


def rows(found: dict[str, float]) -> list[str]:
    """Return the figures as lines, with the aim beside each that has one."""
    width = max(map(len, found))
    return [
        f"{name:<{width}}  {value:>10.2f}  {AIMS.get(name, '')}".rstrip()
        for name, value in found.items()
    ]

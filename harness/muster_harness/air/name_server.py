# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The DNS server of one network, as honest as the script wants it."""

from muster_harness.control import Refusal

_UNKNOWN = -2  # what getaddrinfo() raises for a name that has no address
_FAILED = -202  # lwIP's EAI_FAIL: nobody answered


class NameServer:
    """May be changed at any time.

    `names` maps a name to its address, or to None: there is no such name. `everything` is the
    address of all other names, as a captive network gives it. `is_silent` lets every query time
    out, after `patience_s`.
    """

    def __init__(self) -> None:
        self.names: dict[str, str | None] = {}
        self.everything: str | None = None
        self.is_silent = False
        self.patience_s = 5.0  # how long a board asks before it gives up
        self.asked: list[str] = []

    def knows(self, name: str) -> bool:
        """Whether it has been told about a name."""
        return name.lower() in self._lower()

    def address(self, name: str) -> str:
        """The address it gives; raises Refusal, the OSError on the board, if it gives none."""
        self.asked.append(name)
        found = self._lower().get(name.lower(), self.everything)
        if found is None:
            raise Refusal("OSError", _UNKNOWN)
        return found

    def failure(self) -> Refusal:
        """What a board gets that was not answered."""
        return Refusal("OSError", _FAILED)

    def _lower(self) -> dict[str, str | None]:
        return {name.lower(): address for name, address in self.names.items()}

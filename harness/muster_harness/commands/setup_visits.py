# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Lets this machine's browser into the network that an emulated board opens, as a phone is."""

import contextlib
from collections.abc import Callable

from muster_harness.air.air import Air, Visitor
from muster_harness.errors import HarnessError

_HTTP = 80


class SetupVisits:
    """Visits of one board's own network; `look` is to be called now and then."""

    def __init__(self, air: Air, board: str, say: Callable[[str], None]) -> None:
        self._air = air
        self._board = board
        self._say = say
        self._seen = 0  # lines of the air's trace
        self._visitor: Visitor | None = None

    def look(self) -> None:
        """Join a network that the board has opened since, and say where its page is."""
        trace = self._air.trace
        news, self._seen = trace[self._seen :], len(trace)
        for event in news:
            if event.board != self._board or event.what not in ("ap", "ap off"):
                continue
            self._leave()
            if event.what == "ap":
                self._join(event.details["ssid"])

    def close(self) -> None:
        self._leave()

    def _join(self, ssid: bytes) -> None:
        with contextlib.suppress(HarnessError):  # gone again, or nobody is let in: nothing to say
            point = self._air.access_point(ssid)
            self._visitor = self._air.visit(ssid, point.password, name="browser")
            name = ssid.decode(errors="replace")
            self._say(f"the board has opened {name}; its page: {self._visitor.url(_HTTP)}")

    def _leave(self) -> None:
        if self._visitor is not None:
            self._visitor.close()
            self._visitor = None

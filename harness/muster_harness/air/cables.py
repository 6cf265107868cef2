# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Ethernet cables from boards to networks: a network behind an access point has sockets too."""

import threading
from collections.abc import Callable

from muster_harness.air.access_point import AccessPoint


class Cables:
    """At most one cable for each board; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: dict[str, AccessPoint] = {}
        self._listeners: dict[str, Callable[[], None]] = {}

    def plug(self, board: str, network: AccessPoint) -> None:
        """Put a cable between a board's Ethernet and a network."""
        self._change(board, network)

    def unplug(self, board: str) -> None:
        """Pull the cable, if there is one."""
        self._change(board, None)

    def network_of(self, board: str) -> AccessPoint | None:
        """Return the network at the other end."""
        with self._lock:
            return self._ends.get(board)

    def listen(self, board: str, told: Callable[[], None] | None) -> None:
        """Let a board's Ethernet be told of each change; None: no more."""
        with self._lock:
            self._listeners.pop(board, None)
            if told is not None:
                self._listeners[board] = told

    def _change(self, board: str, network: AccessPoint | None) -> None:
        with self._lock:
            self._ends.pop(board, None)
            if network is not None:
                self._ends[board] = network
            told = self._listeners.get(board)
        if told is not None:
            told()

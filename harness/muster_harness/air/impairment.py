# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The stretch between a network's stations and their peers: delay, loss, narrowness."""

import random
import time

_RETRANSMIT_S = 0.2  # what a lost piece of a connection costs at least; doubles


class Impairment:
    """May be changed at any time; holds for what is sent from then on. Any thread may ask."""

    def __init__(self) -> None:
        self.latency_s = 0.0  # each way
        self.loss = 0.0  # share of datagrams lost; pieces of connections are sent again, later
        self.bytes_per_s: float | None = None  # each way, all stations together
        self.cut_after_bytes: int | None = None  # each connection is reset once it carried these
        self.random = random.Random(1)  # noqa: S311 (chance that repeats itself)
        self._free_at = {"tx": 0.0, "rx": 0.0}

    def loses(self) -> bool:
        """Tell whether the next datagram is lost."""
        return self.random.random() < self.loss

    def transit_s(self, size: int, way: str) -> float:
        """Return the seconds that so many bytes take, behind what is already on that way."""
        now = time.monotonic()
        begin = max(now, self._free_at[way])
        if self.bytes_per_s is not None:
            begin += size / self.bytes_per_s
            self._free_at[way] = begin
        return begin - now + self.latency_s

    def reliable_transit_s(self, size: int, way: str) -> float:
        """Return the same for a piece of a connection: if it is lost, it comes later."""
        wait_s, again_s = self.transit_s(size, way), _RETRANSMIT_S
        while again_s < 10 and self.loses():
            wait_s += again_s
            again_s *= 2
        return wait_s

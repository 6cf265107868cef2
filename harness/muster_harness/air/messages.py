# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The messages that cross the air, one by one, and the fate that a script gives each.

A message is a UDP datagram, or a turn of a TCP connection: all that one side sends until the
other speaks, e.g. one HTTP request.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """`way` is "tx" from the board, "rx" to it; a turn's `size` is that of its first piece."""

    number: int
    board: str
    network: bytes
    kind: str  # "udp", "tcp"
    way: str
    address: str  # the peer's, as the board knows it
    port: int
    size: int


@dataclass(frozen=True)
class Fate:
    """The fate of a message: so many copies arrive, so many seconds later."""

    copies: int = 1
    delay_s: float = 0.0


PASSES = Fate()
LOST = Fate(copies=0)
DOUBLED = Fate(copies=2)


class Messages:
    """Numbers messages from 1 and decides their fate. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._fates: dict[int, Fate] = {}
        self.log: list[Message] = []
        # Asked about every message that nothing was ordered for; None lets it pass.
        self.rule: Callable[[Message], Fate | None] | None = None

    def drop(self, n: int = 1) -> None:
        """Lose the n-th message from now. A lost turn's connection stays, without its bytes."""
        self._order(n, LOST)

    def duplicate(self, n: int = 1) -> None:
        """Let the n-th message from now arrive twice.

        A turn from the board comes to the server a second time as a connection of its own, as a
        replay would; a turn to the board comes twice in its connection.
        """
        self._order(n, DOUBLED)

    def delay(self, n: int, by_s: float) -> None:
        """Let the n-th message from now arrive later."""
        self._order(n, Fate(delay_s=by_s))

    def clear(self) -> None:
        """Take every order back."""
        with self._lock:
            self._fates.clear()

    def _order(self, n: int, fate: Fate) -> None:
        with self._lock:
            self._fates[len(self.log) + n] = fate

    def judge(
        self, board: str, network: bytes, kind: str, way: str, address: str, port: int, size: int
    ) -> Fate:
        """Number a message and tell what becomes of it."""
        with self._lock:
            number = next(self._numbers)
            message = Message(number, board, network, kind, way, address, port, size)
            self.log.append(message)
            fate = self._fates.pop(number, None)
        if fate is None and self.rule is not None:
            fate = self.rule(message)
        return fate or PASSES

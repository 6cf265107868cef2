# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Radios that hear each other without any network, and some that are too far apart for it."""

import threading
from typing import Any, Protocol

BROADCAST = b"\xff" * 6


class Receiver(Protocol):
    """A radio that may hear frames. Called from the sender's thread: it is quick."""

    name: str

    def has_address(self, address: bytes, channel: int) -> bool:
        """Tell whether one of its interfaces has the address and works on the channel."""

    def works_on(self, channel: int) -> bool:
        """Tell whether any of its interfaces works on the channel."""

    def hear(self, frame: Any) -> None:
        """Take a frame."""


class Ether:
    """All radios within reach. `rssi` is how strong each hears the others, in dBm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receivers: list[Receiver] = []
        self._apart: set[frozenset[str]] = set()
        self.rssi = -50

    def enter(self, receiver: Receiver) -> None:
        with self._lock:
            self._receivers.append(receiver)

    def leave(self, receiver: Receiver) -> None:
        with self._lock:
            if receiver in self._receivers:
                self._receivers.remove(receiver)

    def separate(self, one: str, other: str) -> None:
        """Let two boards, or devices of a test, not hear each other from now on."""
        self._apart |= {frozenset([one, other])}

    def bring_together(self, one: str, other: str) -> None:
        """Undo `separate`."""
        self._apart -= {frozenset([one, other])}

    def hear_each_other(self, one: str, other: str) -> bool:
        return frozenset([one, other]) not in self._apart

    def send(self, sender: Receiver, target: bytes, channel: int, frame: Any) -> bool:
        """Let a frame be heard; tell whether its target has acknowledged it. Nobody has to
        acknowledge a broadcast."""
        with self._lock:
            near = [
                other
                for other in self._receivers
                if other is not sender and self.hear_each_other(sender.name, other.name)
            ]
        if target == BROADCAST:
            heard = [other for other in near if other.works_on(channel)]
        else:
            heard = [other for other in near if other.has_address(target, channel)]
        for other in heard:
            other.hear(frame)
        return bool(heard) or target == BROADCAST

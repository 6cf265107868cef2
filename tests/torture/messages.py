# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every message on the way to a configuration lost, doubled, and delayed past its deadline: the
device gets there all the same, by itself.
"""

import random

from harness.errors import HarnessError
from harness.messages import DOUBLED, LOST, PASSES, Fate, Message
from tests.torture.bench import Bench, Save
from tests.torture.inspector import Inspector
from tests.torture.parts import Part

# The longest deadline on the device is 20 s. Its clock runs this much faster than the servers.
_SPEED = 5
_LATE_S = 25.0
_COMES_HOME_S = 60.0
_FATES = {"dropped": LOST, "duplicated": DOUBLED, "delayed": Fate(delay_s=_LATE_S / _SPEED)}


class Messages:
    """Lets the board go from a save to the next commit: once undisturbed, to see what messages
    there are, then once for each fault.
    """

    def __init__(self, part: Part, bench: Bench, inspector: Inspector, begin: Save) -> None:
        self._part = part
        self._bench = bench
        self._inspector = inspector
        self._begin = begin

    def run(self, seed: int, sample: int | None = None) -> None:
        """Try all faults, or a sample of so many."""
        messages = self._committed(None, PASSES)
        self._part.say(f"there are {len(messages)} messages")
        faults = [(n, name) for name in _FATES for n in range(len(messages))]
        if sample is not None:
            faults = sorted(random.Random(seed).sample(faults, sample))
        for n, name in faults:
            self._part.count(f"messages {name}")
            what = f"{messages[n].kind} {messages[n].way} {messages[n].port}, number {n + 1}"
            try:
                self._committed(n, _FATES[name])
                fault = self._fault()
            except (HarnessError, TimeoutError, OSError) as e:
                fault = f"does not come home: {e}"
            if fault:
                self._part.find(f"message {name} ({what}): {fault}")
        self._part.say(f"{len(faults)} faults tried")

    def _committed(self, n: int | None, fate: Fate) -> list[Message]:
        """Go on with this fate for the message of that number; those until the commit."""
        bench, air = self._bench, self._bench.story.air
        bench.load(self._begin)
        began = len(air.messages.log)

        def rule(message: Message) -> Fate | None:
            return fate if n is not None and message.number == began + n + 1 else None

        air.messages.rule = rule
        try:
            bench.board.clock.scale(1 if n is None else _SPEED)
            bench.board.power_on()
            bench.board.expect(rb"life committed version", _COMES_HOME_S)
            messages = air.messages.log[began:]
        finally:
            air.messages.rule = None
        return list(messages)

    def _fault(self) -> str | None:
        start = self._inspector.look(self._bench.settled()).first
        if start.error:
            return f"bricked: {start.error}"
        if start.identity != (self._bench.label.device_id, self._bench.label.secret):
            return "the identity is lost"
        self._bench.wait_until_proved(start.version, _COMES_HOME_S)
        return None

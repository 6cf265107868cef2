# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every message on the way to a configuration lost, doubled, and delayed past its deadline: the
device gets there all the same, by itself.
"""

import random

from muster_harness.air.messages import DOUBLED, LOST, PASSES, Fate, Message
from muster_harness.errors import HarnessError
from tests.torture.bench import Bench
from tests.torture.inspector import Inspector
from tests.torture.parts import BRICKED, HALF, Fault, Part
from tests.torture.parts import LOST as LOST_IDENTITY
from tests.torture.points import Played
from tests.torture.scenario import COMES_HOME_S

# The longest deadline on the device is 20 s. Its clock runs this much faster than the servers.
_SPEED = 5
_LATE_S = 25.0
_TRIES = 5
# What the device asks once more after the end, and its answer: by chance they come before the play
# is over, and may not come when it is played again.
_AFTER_THE_END = 2
_FATES = {"dropped": LOST, "duplicated": DOUBLED, "delayed": Fate(delay_s=_LATE_S / _SPEED)}


class Messages:
    """Lets the board go from the beginning of a scenario to its end: once undisturbed, to see what
    messages there are, then once for each fault.
    """

    def __init__(self, part: Part, bench: Bench, inspector: Inspector, played: Played) -> None:
        self._part = part
        self._bench = bench
        self._inspector = inspector
        self._played = played

    def run(self, seed: int, sample: int | None = None) -> None:
        """Try all faults, or a sample of so many."""
        name = self._played.scenario.name
        messages = self._played_with(None, PASSES)
        self._part.say(f"{name}: {len(messages)} messages")
        faults = [(n, fate) for fate in _FATES for n in range(len(messages))]
        if sample is not None and sample < len(faults):
            faults = sorted(random.Random(seed).sample(faults, sample))
        for n, fate in faults:
            self._part.count(f"messages {fate}")
            what = f"{messages[n].kind} {messages[n].way} {messages[n].port}, number {n + 1}"
            try:
                is_met = self._met(n, _FATES[fate])
                fault = self._fault()
                if not is_met and n < len(messages) - _AFTER_THE_END:
                    fault = Fault(f"the message was never met in {_TRIES} tries")
                elif not is_met:
                    self._part.count("messages that did not come again")
            except (HarnessError, TimeoutError, OSError) as e:
                fault = Fault(f"does not come home: {e}", BRICKED)
            if fault:
                self._part.find(fault.after(f"{name}: message {fate} ({what})"))
        self._part.say(f"{name}: {len(faults)} faults tried")

    def _met(self, n: int, fate: Fate) -> bool:
        """Play it until the message is met; whether it was."""
        return any(len(self._played_with(n, fate)) > n for _ in range(_TRIES))

    def _played_with(self, n: int | None, fate: Fate) -> list[Message]:
        """Play it with this fate for the message of that number; those until its end."""
        bench, air, go = self._bench, self._bench.story.air, self._played.scenario.go
        assert go, f"no message leads to {self._played.scenario.name}"
        bench.load(self._played.begin)
        began = len(air.messages.log)

        def rule(message: Message) -> Fate | None:
            return fate if n is not None and message.number == began + n + 1 else None

        air.messages.rule = rule
        try:
            go(bench, _SPEED if n is not None else 1)
            messages = air.messages.log[began:]
        finally:
            air.messages.rule = None
        return list(messages)

    def _fault(self) -> Fault | None:
        start = self._inspector.look(self._bench.settled()).first
        if start.error:
            return Fault(f"bricked: {start.error}", BRICKED)
        if start.identity != self._played.identity:
            return Fault("the identity is lost", LOST_IDENTITY)
        if start.version:
            self._bench.wait_until_proved(start.version, COMES_HOME_S)
        if bool(start.version) != bool(self._played.after.version):
            return Fault(f"in the end it runs on version {start.version}", HALF)
        return None

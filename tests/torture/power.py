# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Power cuts, exhaustively: every image that a cut can leave is looked at, and from every moment
the device, with the true servers as they were then, has to get where it was going.
"""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

from muster_harness.errors import HarnessError
from muster_harness.units.power_cuts import Cut, Depth
from tests.torture import overwriting
from tests.torture.bench import Bench, Save
from tests.torture.inspector import FIRMWARE, Findings, Inspector, InspectorEnded
from tests.torture.parts import BRICKED, LOST, Fault, Part
from tests.torture.points import Played, Point
from tests.torture.scenario import Scenario
from tests.torture.scenarios import SCENARIOS

T = TypeVar("T")
Sample = int | Literal["all"]
_EVERY = 50  # points between two lines of progress


class Power:
    """Plays scenarios on a bench, cuts each at its points, and notes what breaks a promise."""

    def __init__(self, part: Part, bench: Bench, seed: int, firmware: Path = FIRMWARE) -> None:
        self.part = part
        self._bench = bench
        self._chance = random.Random(seed)
        self._firmware = firmware  # what is on the bench's board
        self._inspector = Inspector(firmware)
        self._saves: dict[str | None, Save] = {None: bench.save()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._inspector.close()

    def play(self, scenario: Scenario) -> Played:
        """Record it, after the ones that it begins with."""
        if scenario.after not in self._saves:
            self.play(next(s for s in SCENARIOS if s.name == scenario.after))
        played = Played(self._bench, scenario, self._saves[scenario.after], self._inspector)
        self._saves[scenario.name] = played.end
        operations = len(played.recording.operations)
        self.part.say(f"{scenario.name}: {operations} flash operations")
        for fault in played.own_faults():
            self.part.find(fault.after(f"{scenario.name}: without a cut"))
        return played

    def each(self) -> Iterator[Played]:
        """Play all scenarios. One that does not end as it should is a finding, and passed over."""
        for scenario in SCENARIOS:
            try:
                yield self.play(scenario)
            except (HarnessError, TimeoutError, OSError) as e:
                self.part.find(Fault(f"{scenario.name}: without a cut: {e}"))

    # Images

    def images(
        self, played: Played, depth: Depth, sample: Sample = "all", cuts_again: bool = True
    ) -> None:
        """Look at what each cut leaves on the flash; at a whole operation also at what a second
        cut leaves, in the start after it.
        """
        cuts = list(overwriting.cuts(played.recording, depth))
        for cut in self._chosen(cuts, sample):
            again = cuts_again and cut.how in ("before", "after")
            try:
                found = self._inspector.look(cut.content, cuts_again=again)
            except InspectorEnded as e:
                self.part.find(Fault(f"{played.scenario.name}: operation {cut}: {e}", BRICKED))
                self._inspector = Inspector(self._firmware)
                continue
            self.part.count("images", 1 + len(found.again))
            self._judge(played, cut, found)

    def _judge(self, played: Played, cut: Cut, found: Findings) -> None:
        for fault in played.faults(cut, found):
            self.part.find(fault.after(f"{played.scenario.name}: operation {cut}"))

    # Lives

    def lives(self, played: Played, depth: Depth, sample: Sample = "all") -> None:
        """Restart the device at each point, and let it go on to the end."""
        points = self._chosen(list(played.points(depth)), sample)
        for n, point in enumerate(points, 1):
            self.part.count("cut points")
            self._live(played, point)
            if n % _EVERY == 0 or n == len(points):
                self.part.say(f"{played.scenario.name}: {n} of {len(points)} points")

    def _live(self, played: Played, point: Point) -> None:
        bench, scenario = self._bench, played.scenario
        save = point.save
        found = self._inspector.look(save.content).first
        bench.load(save)
        try:
            bench.board.power_on()
            scenario.heal(bench, found.version)
            faults = list(self._end_faults(played))
        except (HarnessError, TimeoutError, OSError) as e:
            said = bench.board.output.decode(errors="replace")[-600:]
            text = f"{scenario.name}: {point}: does not come home: {e}\n{said}"
            self.part.find(Fault(text, BRICKED))
            return
        for fault in faults:
            self.part.find(fault.after(f"{scenario.name}: {point}: in the end"))

    def _end_faults(self, played: Played) -> Iterable[Fault]:
        content = self._bench.tidied(self._inspector)
        start = self._inspector.look(content).first
        if start.error:
            yield Fault(f"bricked: {start.error}", BRICKED)
        elif start.identity != played.identity:
            yield Fault("the identity is lost", LOST)
        elif start.config is None:
            yield Fault("there is no configuration", BRICKED)
        else:
            former = [played.before.config, played.after.config]
            superseded = overwriting.superseded(former, start.config)
            if left := overwriting.found(superseded, content):
                yield Fault(
                    f"{left} of {len(superseded)} secrets of former configurations are left"
                )
            self._bench.wait_until_proved(start.version)

    def _chosen(self, things: list[T], sample: Sample) -> list[T]:
        if sample == "all" or sample >= len(things):
            return things
        picked = sorted(self._chance.sample(range(len(things)), sample))
        return [things[i] for i in picked]

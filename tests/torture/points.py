# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A scenario, recorded once on the flash and at the servers, and every moment to cut it at."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from muster_harness.units.power_cuts import Cut, Depth, Recording, record
from tests.torture import overwriting
from tests.torture.bench import Bench, Save
from tests.torture.inspector import Findings, Inspector, Start
from tests.torture.parts import BRICKED, HALF, LOST, Fault
from tests.torture.scenario import Scenario
from tests.torture.server_state import ServerState


@dataclass(frozen=True)
class Point:
    """A cut of the flash, and what the servers know then. `str` names it within its scenario."""

    cut: Cut
    servers: ServerState = field(repr=False)
    replies: int  # that were on their way until then

    def __str__(self) -> str:
        return f"operation {self.cut}, reply {self.replies}"

    @property
    def save(self) -> Save:
        return Save(self.cut.content, self.servers)


class Played:
    """A scenario that has been played on a bench once, with all that was recorded."""

    def __init__(self, bench: Bench, scenario: Scenario, begin: Save, inspector: Inspector):
        self.scenario = scenario
        bench.load(begin)
        scenario.prepare(bench)
        self.begin = bench.save()
        self.marks = bench.keep_marks()
        try:
            self.recording: Recording = record(
                bench.board, lambda _: _act(scenario, bench, inspector)
            )
        finally:
            bench.end_marks()
        self.end = bench.save()
        self.before = inspector.look(begin.content).first
        self.after = inspector.look(self.end.content).first
        wholes = [inspector.look(s.content, reads_all=True).first for s in (begin, self.end)]
        self._is_firmware_whole = wholes[0].firmware == wholes[1].firmware
        self._kept_from = self._first_kept(inspector) if scenario.keeps else None
        self.identity = (bench.label.device_id, bench.label.secret)

    @property
    def proved_from(self) -> int:
        """The number of operations that were done when the platform had answered all of step 9.

        Its last answer before the first sync under the new version's key counts.
        """
        operations = 0
        for mark in self.marks:
            if "/sync?k=" not in mark.path:
                operations = mark.operations
            elif mark.path.endswith(f"k={self.after.version}"):
                break
        return operations

    def _first_kept(self, inspector: Inspector) -> int | None:
        """Return the operation before which there is a configuration for the first time."""
        for cut in overwriting.cuts(self.recording, "whole"):
            start = inspector.look(cut.content).first
            if start.is_kept or start.version:
                return cut.operation
        return None

    def points(self, depth: Depth) -> Iterator[Point]:
        """Each cut with what the servers know then. Where replies come between two operations, the
        power goes at each of them too.
        """
        servers, replies = self.begin.servers, 0
        replied = {mark.operations + 1 for mark in self.marks}
        for cut in overwriting.cuts(self.recording, depth, kept=replied):
            if cut.how in ("before", "after"):
                done = cut.operation - (cut.how == "before")
                for mark in [mark for mark in self.marks if mark.operations == done]:
                    yield Point(cut, servers, replies)
                    servers, replies = mark.servers, replies + 1
            yield Point(cut, servers, replies)

    def own_faults(self) -> Iterator[Fault]:
        """Yield the faults that are there although nothing was cut."""
        if self.scenario.keeps and self._kept_from is None:
            yield Fault("no candidate was ever kept")
        if (self.before.version, self.after.version) != self.scenario.versions:
            yield Fault(f"it went from version {self.before.version} to {self.after.version}")
        if not self._is_firmware_whole:
            yield Fault("the firmware's files have changed", BRICKED)

    def faults(self, cut: Cut, found: Findings) -> list[Fault]:
        """Return the faults of the image that a cut leaves; none, if all promises are kept."""
        starts = {"the next start": found.first, "the start after it": found.second}
        starts |= {f"a second cut at {n}": again for n, again in enumerate(found.again)}
        wrong = [
            fault.after(when)
            for when, start in starts.items()
            for fault in self._faults_of(start, cut)
        ]
        if found.first.error is None and found.second.version != found.first.version:
            versions = f"{found.first.version}, then {found.second.version}"
            wrong.append(Fault(f"two starts run on different versions: {versions}", HALF))
        if not found.succeeds:
            wrong.append(Fault("the next configuration cannot be stored", BRICKED))
        return wrong

    def _faults_of(self, start: Start, cut: Cut) -> Iterator[Fault]:
        if start.error is not None:
            yield Fault(f"bricked: {start.error}", BRICKED)
            return
        if start.identity != self.identity:
            yield Fault("the identity is lost", LOST)
        if start.firmware != self.before.firmware:
            yield Fault("the firmware's files have changed", BRICKED)
        wholes = (self.before.config, self.after.config)
        if start.config not in wholes:
            text = f"a configuration that is neither the old nor the new one: {start.version}"
            yield Fault(text, HALF)
        is_due = self._kept_from is not None and cut.operation >= self._kept_from
        if is_due and not start.version and not start.is_kept:
            yield Fault("the candidate that was kept is lost, and home may be gone", BRICKED)
        is_new = start.config == self.after.config != self.before.config
        done = cut.operation - (cut.how != "after")  # and maybe a part of one more
        if is_new and self.scenario.proves and done <= self.proved_from:
            yield Fault(f"version {start.version} is committed before it was registered", HALF)


def _act(scenario: Scenario, bench: Bench, inspector: Inspector) -> None:
    """Let free space be overwritten, if it is to be, before the power goes in the end."""
    scenario.act(bench)
    bench.tidied(inspector)

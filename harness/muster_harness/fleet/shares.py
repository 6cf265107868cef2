# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs a fleet in one process or in several, each with its share of the devices.

They write into one ledger, and what they have seen is told as that of one.
"""

import argparse
import asyncio
import contextlib
import gc
import multiprocessing
import time
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from muster_harness.errors import HarnessError
from muster_harness.fleet.figures import Figures, cpu_seconds
from muster_harness.fleet.progress import Progress
from muster_harness.fleet.run import Fleet
from muster_harness.fleet.work import Make, Share

_TOLD_EACH_S = 0.25
_END_S = 10.0
_CONNECTIONS_EACH = 3  # of a client: a sync's, the platform's, the portal's
_OTHER_FILES = 64


@dataclass
class Outcome:
    """The end of a run: its figures, and all that is to be told."""

    whole: str
    devices: int = 0
    seconds: float = 0.0
    own_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    figures: Figures = field(default_factory=Figures)
    given_up: list[str] = field(default_factory=list)  # the reasons
    findings: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Take what another process has come to in the same time."""
        self.whole = other.whole
        self.devices += other.devices
        self.seconds = max(self.seconds, other.seconds)
        self.own_cpu_s += other.own_cpu_s
        self.figures.add(other.figures)
        self.given_up += other.given_up
        self.findings += other.findings


def run(make: Make, options: argparse.Namespace) -> Outcome:
    """Run the fleet. Raises HarnessError if it cannot be run."""
    if options.clients < options.processes:
        raise HarnessError(
            f"{options.clients} clients are too few for {options.processes} processes: "
            "each wants one; give more --clients or fewer --processes"
        )
    progress = Progress(make.__name__)
    try:
        return (_alone if options.processes == 1 else _together)(make, options, progress)
    finally:
        progress.end()


def _alone(make: Make, options: argparse.Namespace, progress: Progress) -> Outcome:
    before = 0.0

    def begin(devices: int) -> None:
        nonlocal before
        progress.begin(devices)
        before = cpu_seconds(options.pid)

    found = _share(make, options, Share(), begin, progress.show)
    found.server_cpu_s = cpu_seconds(options.pid) - before
    return found


def _together(make: Make, options: argparse.Namespace, progress: Progress) -> Outcome:
    context = multiprocessing.get_context("spawn")
    shares = [Share(which, options.processes) for which in range(options.processes)]
    counts = context.RawArray("q", 2 * len(shares))
    pipes: list[Connection] = []
    processes = []
    try:
        for share in shares:
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_child, args=(make, options, share, counts, theirs), daemon=True
            )
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        progress.begin(sum(_heard(pipes, None)))
        before = cpu_seconds(options.pid)
        for pipe in pipes:
            pipe.send("begin")
        whole = Outcome("")
        for outcome in _heard(pipes, lambda: progress.show(sum(counts[::2]), sum(counts[1::2]))):
            whole.add(outcome)
        whole.server_cpu_s = cpu_seconds(options.pid) - before
        return whole
    finally:
        for process in processes:
            process.terminate()
            process.join(_END_S)


def _heard(pipes: list[Connection], meanwhile: Callable[[], None] | None) -> list[Any]:
    """Return one word of each process. HarnessError if one has failed, or is gone."""
    words, silent = [], list(pipes)
    while silent:
        for pipe in wait(silent, _TOLD_EACH_S):
            try:
                word = cast(Connection, pipe).recv()
            except EOFError:
                raise HarnessError("a process of the fleet has died; see above") from None
            if isinstance(word, HarnessError):
                raise word
            words.append(word)
            silent.remove(cast(Connection, pipe))
        if meanwhile is not None:
            meanwhile()
    return words


def _child(
    make: Make,
    options: argparse.Namespace,
    share: Share,
    counts: MutableSequence[int],
    pipe: Connection,
) -> None:
    def begin(devices: int) -> None:
        pipe.send(devices)
        pipe.recv()

    def tell(done: int, refused: int) -> None:
        counts[2 * share.which : 2 * share.which + 2] = [done, refused]

    with contextlib.suppress(
        KeyboardInterrupt, EOFError, BrokenPipeError
    ):  # the first one says it
        try:
            pipe.send(_share(make, options, share, begin, tell))
        except HarnessError as error:
            pipe.send(HarnessError(str(error)))


def _share(
    make: Make,
    options: argparse.Namespace,
    share: Share,
    begin: Callable[[int], None],
    tell: Callable[[int, int], None],
) -> Outcome:
    clients = options.clients // share.of + (share.which < options.clients % share.of)
    _allow_files(clients * _CONNECTIONS_EACH + _OTHER_FILES)
    work = make(options, share)
    outcome = Outcome(work.whole, len(work.devices))
    fleet = Fleet(work.steps, outcome.figures, work.whole)
    gc.collect()
    gc.freeze()  # the devices stay: nobody needs to look through them again and again
    begin(len(work.devices))
    before_s = time.process_time()

    async def run_all() -> float:
        telling = asyncio.create_task(_tell(outcome, tell))
        try:
            return await fleet.run(
                work.devices, clients, options.deadline, getattr(options, "spread", 0.0)
            )
        finally:
            telling.cancel()

    try:
        outcome.seconds = asyncio.run(run_all())
    finally:
        outcome.findings = work.end()
    outcome.own_cpu_s = time.process_time() - before_s
    outcome.given_up = [reason for _, reason in fleet.given_up]
    return outcome


async def _tell(outcome: Outcome, tell: Callable[[int, int], None]) -> None:
    while True:
        await asyncio.sleep(_TOLD_EACH_S)
        tell(outcome.figures.count(outcome.whole), outcome.figures.refusals.total())


def _allow_files(wanted: int) -> None:
    """Let this process open so many. Raises HarnessError if the system does not."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise HarnessError(
            f"so many clients want {wanted} open files, and {hard} are allowed (ulimit -Hn); "
            "give fewer --clients, or more --processes"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

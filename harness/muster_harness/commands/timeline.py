# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster-unit timeline` reads over the REPL what a device recorded of its own
life."""

import re
from argparse import Namespace
from dataclasses import asdict, dataclass

from muster_harness.commands.boards import chosen_port, print_json, say
from muster_harness.commands.follow import STEP_WIDTH, STEPS
from muster_harness.commands.looking import looked_into
from muster_harness.errors import HarnessError, RemoteError
from muster_harness.log import shown
from muster_harness.wire.repl import REPL

_SHOW = "from muster.recorder import show\nshow()"
# e.g. "2026-07-04T12:00:00Z step 8 wifi_auth 5020 ms"
_STEP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) step ([1-9]) (\w+) (\d+) ms")
# e.g. "last failure: step 8 wifi_auth factory: status 202"
_FAILURE = re.compile(r"last failure: step ([1-9]) (\w+) ?(.*)")


@dataclass(frozen=True)
class RecordedStep:
    """The end of one attempt at a step, by the device's own clock."""

    ended: str  # e.g. "2026-07-04T12:00:00Z"
    step: int
    code: str
    ms: int


@dataclass(frozen=True)
class RecordedFailure:
    """The place and cause of the last failure, kept until the configuration server has heard of
    it."""

    step: int
    code: str
    detail: str


@dataclass(frozen=True)
class Timeline:
    """A device's record: its newest steps, the oldest first, and its last failure."""

    steps: list[RecordedStep]
    last_failure: RecordedFailure | None


def timeline(options: Namespace) -> int:
    """Print the device's record. The device's program stops for that, and begins anew after."""
    port = chosen_port(options)
    with looked_into(port, say) as repl:
        found = read_timeline(repl)
    if options.json:
        return print_json(asdict(found))
    for line in _lines(found):
        print(line)
    return 0


def read_timeline(repl: REPL) -> Timeline:
    """Ask the device for its record. Raises HarnessError if its firmware keeps none."""
    try:
        said = repl.exec(_SHOW)
    except RemoteError as e:
        if e.kind != "ImportError":
            raise
        raise HarnessError(
            f"the board keeps no timeline ({e.detail}): muster-unit deploy brings one that does"
        ) from e
    lines = [shown(line.encode()) for line in said.splitlines()]
    steps = [found.groups() for found in map(_STEP.fullmatch, lines) if found]
    failures = [found.groups() for found in map(_FAILURE.fullmatch, lines) if found]
    return Timeline(
        [RecordedStep(ended, int(step), code, int(ms)) for ended, step, code, ms in steps],
        RecordedFailure(int(failures[0][0]), *failures[0][1:]) if failures else None,
    )


def _lines(found: Timeline) -> list[str]:
    lines = [
        f"{step.ended}  [{step.step}/9] {STEPS[step.step]:<{STEP_WIDTH}}"
        f"{step.ms:>6} ms  {step.code}"
        for step in found.steps
    ]
    if found.last_failure:
        last = found.last_failure
        lines.append(f"last failure: {STEPS[last.step]}: {last.code} {last.detail}".rstrip())
    return lines or ["the device has recorded nothing yet"]

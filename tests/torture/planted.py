# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Plants each bug in a copy of the firmware, and lets the torture find it there."""

from collections.abc import Callable
from pathlib import Path

from tests.flash import make_flash
from tests.torture import rot, stuck
from tests.torture.bench import Bench
from tests.torture.inspector import Inspector
from tests.torture.mutations import (
    COMMITS_EARLY,
    FED_BY_TIMER,
    FORGETS_NOTHING,
    FORGETS_THE_OTHER,
    NO_CHECKSUM,
    Mutation,
    mutated,
)
from tests.torture.parts import Fault, Part
from tests.torture.power import Power
from tests.torture.scenarios import CHANGE, ONBOARDING

_SEED = 1


def _images(part: Part, bench: Bench, firmware: Path) -> None:
    with Power(part, bench, _SEED, firmware) as power:
        power.images(power.play(ONBOARDING), "whole", sample=16, cuts_again=False)


def _rot(part: Part, bench: Bench, firmware: Path) -> None:
    with Power(part, bench, _SEED, firmware) as power, Inspector(firmware) as inspector:
        played = power.play(ONBOARDING)
        content, allowed = played.end.content, [played.after]
        rot.flip_all(part, inspector, content, allowed, _SEED, 40, rot.CONFIGURATION)


def _rot_of_two(part: Part, bench: Bench, firmware: Path) -> None:
    with Power(part, bench, _SEED, firmware) as power, Inspector(firmware) as inspector:
        played = power.play(CHANGE)
        content, allowed = played.end.content, [played.before, played.after]
        rot.flip_all(part, inspector, content, allowed, _SEED, 40, rot.CONFIGURATION)


def _stuck(part: Part, bench: Bench, firmware: Path) -> None:
    with Power(part, bench, _SEED, firmware) as power:
        stuck.bite(part, bench, power.play(ONBOARDING).end)


def _lives(part: Part, bench: Bench, firmware: Path) -> None:
    with Power(part, bench, _SEED, firmware) as power:
        power.lives(power.play(CHANGE), "whole", sample=2)


# What finds each bug, and a word of how it says so.
TRAPS: dict[Mutation, tuple[Callable[[Part, Bench, Path], None], str]] = {
    COMMITS_EARLY: (_images, "before it was registered"),
    NO_CHECKSUM: (_rot, "rotten record is believed"),
    FORGETS_THE_OTHER: (_rot_of_two, "the other generation is lost too"),
    FED_BY_TIMER: (_stuck, "never ended by the watchdog"),
    FORGETS_NOTHING: (_lives, "secrets of former configurations are left"),
}


def findings(mutation: Mutation, directory: Path) -> list[str]:
    """Return the findings of the part of the torture that is there for this bug, in firmware that
    has it."""
    firmware = mutated(mutation, directory)
    flash = make_flash(directory / "deployed", firmware=firmware)
    part = Part(mutation.name, is_quiet=True)
    (directory / "bench").mkdir()
    with Bench(directory / "bench", flash) as bench:
        TRAPS[mutation][0](part, bench, firmware)
    return part.findings


def plant_all(part: Part, directory: Path) -> None:
    """Plant one after the other; one that is not found is a finding."""
    for number, (mutation, (_, word)) in enumerate(TRAPS.items()):
        own = directory / f"planted-{number}"
        own.mkdir()
        part.count("bugs planted")
        found = findings(mutation, own)
        if any(word in text for text in found):
            part.say(f"found, as it should be: {mutation.name}")
        else:
            part.find(Fault(f"not found: {mutation.name}; instead: {found}"))

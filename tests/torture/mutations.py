# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Planted bugs: what the torture has to find, or it proves nothing."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.torture.inspector import FIRMWARE


@dataclass(frozen=True)
class Mutation:
    """A change to one file of a copy of the firmware."""

    name: str
    file: str
    right: str
    wrong: str


COMMITS_EARLY = Mutation(
    "the commit record is written before the registration",
    "trial.py",
    '    config = borrow("candidate", "keep", life.store, life.journal, answer)\n',
    '    config = borrow("candidate", "keep", life.store, life.journal, answer)\n'
    '    life.store.promote("candidate", "committed")\n',
)
NO_CHECKSUM = Mutation(
    "a record's checksum is not looked at",
    "records.py",
    "            if _head(generation, length, crc) != header:\n",
    "            if False:\n",
)
FORGETS_THE_OTHER = Mutation(
    "a rotten record takes the other generation with it",
    "records.py",
    "            continue\n        if generation is not None:\n",
    "            return []\n        if generation is not None:\n",
)
FED_BY_TIMER = Mutation(
    "the watchdog is fed from a timer",
    "hardware.py",
    "    return machine.WDT(timeout=timeout_ms)\n",
    "    dog = machine.WDT(timeout=timeout_ms)\n"
    "    machine.Timer(0).init(period=1000, callback=lambda timer: dog.feed())\n"
    "    return dog\n",
)
FORGETS_NOTHING = Mutation(
    "what was removed is not overwritten",
    "store.py",
    "        self._is_spoilt = True\n        try:\n            open(",
    "        return\n        try:\n            open(",
)


def mutated(mutation: Mutation, directory: Path) -> Path:
    """A copy of the firmware with the bug in it. Fails if the place is not there exactly once."""
    copy = directory / "firmware"
    shutil.copytree(FIRMWARE, copy)
    path = copy / "muster" / mutation.file
    text = path.read_text()
    assert text.count(mutation.right) == 1, f"{mutation.file} has changed: plant the bug anew"
    path.write_text(text.replace(mutation.right, mutation.wrong))
    return copy

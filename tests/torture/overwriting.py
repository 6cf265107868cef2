# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The overwriting of free space: which of its thousands of operations are cut, and what it may not
leave behind.
"""

from collections.abc import Collection, Iterator
from typing import Any

from muster_harness.esp32.parts.flash import FlashContent, Operation
from muster_harness.units.power_cuts import Cut, Depth, Recording
from tests import secrecy

# One after the other it does the same to each free block, so these are cut by sample: one in so
# many of the fillers and erases, and of what keeps the file system whole between them.
_ONE_FILLER_IN = 199
_ONE_OTHER_IN = 4
_FILLER_BYTES = 64  # of zeros at least; what LittleFS puts before them is a few bytes
_HEAD_BYTES = 24
MARK = "spoilt"  # the file that says that free space is to be overwritten


def is_filler(operation: Operation) -> bool:
    """Tell whether this programs what has overwritten a piece of free space."""
    zeros = operation.data[_HEAD_BYTES:]
    is_program = operation.kind == "program"
    return is_program and len(zeros) >= _FILLER_BYTES and not any(zeros)


def cuts(recording: Recording, depth: Depth, kept: Collection[int] = ()) -> Iterator[Cut]:
    """Yield the cuts of a recording, see its `cuts`, and of the overwriting in it a sample.

    `kept` are numbers of operations that are cut in any case.
    """
    passed = _passed_over(recording) - set(kept)
    for cut in recording.cuts(depth):
        if cut.operation not in passed:
            yield cut


def _passed_over(recording: Recording) -> set[int]:
    numbered = list(enumerate(recording.operations, 1))
    fillers = [number for number, operation in numbered if is_filler(operation)]
    if not fillers:
        return set()
    passed: set[int] = set()
    counts = {True: 0, False: 0}
    for number, operation in numbered[fillers[0] : fillers[-1] - 1]:  # the first and last are cut
        is_same = operation.kind == "erase" or is_filler(operation)
        counts[is_same] += 1
        if counts[is_same] % (_ONE_FILLER_IN if is_same else _ONE_OTHER_IN):
            passed.add(number)
    return passed


def superseded(former: Collection[dict[str, Any] | None], config: dict[str, Any]) -> set[str]:
    """Return the secrets of former configurations that this one does not have."""
    secrets = {secret for one in former if one for secret in _secrets(one)}
    return secrets - set(_secrets(config))


def found(secrets: Collection[str], content: FlashContent) -> int:
    """Return how many of these secrets are in this content, in any form."""
    whole = content.image + content.nvs
    return sum(any(form in whole for form in secrecy.forms(s.encode())) for s in secrets)


def _secrets(config: dict[str, Any]) -> Iterator[str]:
    server = config["config_server"]
    yield from filter(None, (server["key"], server.get("adoption")))
    yield from filter(None, [config["platform"].get("token")])
    yield from filter(None, (network.get("psk") for network in config["networks"]))

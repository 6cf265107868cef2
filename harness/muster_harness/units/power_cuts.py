# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every moment of a scenario in which the power can go, as far as the flash can tell.

The scenario runs once; its flash operations are recorded and replayed up to each moment. So a cut
costs the time to copy an image, not the time of the scenario:

    for cut in cut_points(board, scenario):
        cut.put_on(board)
        board.power_on()
        ...  # what must hold whenever the power went
        board.power_off()
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from muster_harness.esp32.parts.flash import BLOCK_BYTES, FlashContent, Operation
from muster_harness.units.emulated import EmulatedBoard

# smeared: each bit of a program or an erase has been done, or not, by chance.
CutHow = Literal["before", "torn", "smeared", "after"]
# none; one smeared and three torn ones of each operation; or one torn one at every byte as well
Depth = Literal["whole", "some", "every"]

_ERASED = b"\xff" * BLOCK_BYTES


@dataclass(frozen=True)
class Cut:
    """The power goes at the n-th operation of a recording, the first one being 1.

    `torn_bytes` is how much of a torn operation was done, or the seed of a smeared one. The name
    of a cut (`str`) tells it from all others of the recording, e.g. "17 torn 64".
    """

    recording: "Recording" = field(repr=False, compare=False)
    operation: int
    how: CutHow
    torn_bytes: int = 0

    def __str__(self) -> str:
        detail = f" {self.torn_bytes}" if self.how in ("torn", "smeared") else ""
        return f"{self.operation} {self.how}{detail}"

    @property
    def content(self) -> FlashContent:
        """Return the chip's content after the cut."""
        return self.recording.content(self)

    def put_on(self, board: EmulatedBoard) -> None:
        """Put the content after the cut onto a board, which has to be off."""
        board.write_flash(self.content)


class Recording:
    """The flash operations of a scenario, and the content before it."""

    def __init__(self, before: FlashContent, operations: Sequence[Operation]):
        self.before = before
        self.operations = tuple(operations)
        self._rewind()

    def cuts(self, depth: Depth = "some") -> Iterator[Cut]:
        """Return all cuts in the order of time.

        A cut "after" an operation leaves the same as one "before" the next, so only the last
        operation has one.
        """
        for number, operation in enumerate(self.operations, 1):
            yield Cut(self, number, "before")
            for torn in _torn(operation, depth):
                yield Cut(self, number, "torn", torn)
            if operation.kind != "nvs" and depth != "whole":
                yield Cut(self, number, "smeared", number)
        if self.operations:
            yield Cut(self, len(self.operations), "after")

    def content(self, cut: Cut) -> FlashContent:
        """Return the chip's content after a cut. Asking in the order of time is quickest."""
        whole = cut.operation - (cut.how != "after")
        self._go_to(whole)
        if cut.how in ("before", "after"):
            return FlashContent(bytes(self._image), self._nvs)
        operation = self.operations[whole]
        if operation.kind == "nvs":
            return FlashContent(
                bytes(self._image), self._nvs
            )  # see muster_harness.esp32.parts.nvs
        wanted = _wanted(operation)
        former = bytes(self._image[operation.start : operation.start + len(wanted)])
        if cut.how == "torn":
            partly = wanted[: cut.torn_bytes] + former[cut.torn_bytes :]
        else:
            partly = _smeared(former, wanted, cut.torn_bytes)
        image = bytearray(self._image)
        image[operation.start : operation.start + len(partly)] = partly
        return FlashContent(bytes(image), self._nvs)

    def _rewind(self) -> None:
        self._image = bytearray(self.before.image)
        self._nvs = self.before.nvs
        self._done = 0

    def _go_to(self, operations: int) -> None:
        if operations < self._done:
            self._rewind()
        for operation in self.operations[self._done : operations]:
            if operation.kind == "nvs":
                self._nvs = operation.data
            else:
                wanted = _wanted(operation)
                self._image[operation.start : operation.start + len(wanted)] = wanted
        self._done = operations


def record(board: EmulatedBoard, scenario: Callable[[EmulatedBoard], object]) -> Recording:
    """Run the scenario once on a board that is off, and switch it off again.

    The scenario switches the board on, and returns when all that matters has happened.
    """
    before = board.read_flash()
    board.record_flash()
    try:
        scenario(board)
    finally:
        board.power_off()
        operations = board.recorded_flash()
    return Recording(before, operations)


def cut_points(
    board: EmulatedBoard,
    scenario: Callable[[EmulatedBoard], object],
    depth: Depth = "some",
) -> Iterator[Cut]:
    """Run the scenario once, see `record`; then yield every cut of it, see `Recording.cuts`."""
    yield from record(board, scenario).cuts(depth)


def _wanted(operation: Operation) -> bytes:
    return _ERASED if operation.kind == "erase" else operation.data


def _torn(operation: Operation, depth: Depth) -> Sequence[int]:
    """Return after how many bytes to tear an operation; an erase at the 32 bytes of a cell row."""
    if operation.kind == "nvs" or depth == "whole":
        return ()
    size = len(_wanted(operation))
    if depth == "every":
        return range(1, size) if operation.kind == "program" else range(32, size, 32)
    return sorted({1, size // 2, size - 1} & set(range(1, size)))


def _smeared(former: bytes, wanted: bytes, seed: int) -> bytes:
    chance = random.Random(seed)  # noqa: S311 (weak cells, not secrets)
    done = chance.randbytes(len(wanted))
    return bytes(
        old & ~mask | new & mask for old, new, mask in zip(former, wanted, done, strict=True)
    )

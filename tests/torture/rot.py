# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bits of stored records that flip: the record is set aside, and never is a half one believed."""

import random
import struct
from collections.abc import Iterator
from typing import Any

from muster_harness.esp32.parts.flash import FlashContent
from tests.torture.inspector import Inspector, Start
from tests.torture.parts import BRICKED, HALF, LOST, Fault, Part

_MAGIC = b"MUS1"
_LENGTH = struct.Struct("<4sII")  # magic, generation, length of what follows the header
_HEADER_BYTES = 16
CONFIGURATION = b'"networks"'  # what a record of one holds


def record_bytes(image: bytes, holding: bytes = b"") -> Iterator[int]:
    """Yield the places of the bytes of records that hold this, in use or not.

    Those that lie in LittleFS's own blocks are guarded by its checksums too.
    """
    at = image.find(_MAGIC)
    while at >= 0:
        _, _, length = _LENGTH.unpack_from(image, at)
        end = min(at + _HEADER_BYTES + min(length, 4096), len(image))
        if holding in image[at:end]:
            yield from range(at, end)
        at = image.find(_MAGIC, at + 1)


def flip_all(
    part: Part,
    inspector: Inspector,
    content: FlashContent,
    allowed: list[Start],
    seed: int,
    sample: int | None = None,
    holding: bytes = b"",
) -> None:
    """Flip one bit of each byte of each record, one after the other, and look at the image.

    `allowed` are the starts whose configurations may be found: the two generations, or the one
    that there is, beside which none at all may be found.
    """
    chance = random.Random(seed)
    places = list(record_bytes(content.image, holding))
    if sample is not None and sample < len(places):
        places = sorted(chance.sample(places, sample))
    configs = [start.config for start in allowed]
    if len(allowed) == 1:  # there is no other generation to go back to
        configs.append(None)
    for at in places:
        image = bytearray(content.image)
        image[at] ^= 1 << chance.randrange(8)
        found = inspector.look(FlashContent(bytes(image), content.nvs))
        part.count("bits flipped")
        where = f"bit flip at {at:#x}, seed {seed}"
        for start in (found.first, found.second):
            fault = _fault(start, configs, allowed[0])
            if fault:
                part.find(fault.after(where))
        if not found.succeeds:
            part.find(Fault(f"{where}: nothing can be stored any more", BRICKED))


def _fault(start: Start, configs: list[Any], usual: Start) -> Fault | None:
    if start.error is not None:
        return Fault(f"bricked: {start.error}", BRICKED)
    if start.config is None and None not in configs:
        return Fault("the other generation is lost too", BRICKED)
    if start.config not in configs:
        return Fault("a rotten record is believed", HALF)
    if start.identity != usual.identity:
        return Fault("the identity is lost", LOST)
    return None

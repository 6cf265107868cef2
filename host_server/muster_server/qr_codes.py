# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bundles as QR codes: one while a phone can read it, else several that belong together."""

from typing import Any

# Version 30 with the lowest correction (ISO/IEC 18004): 137 modules a side, which a phone still
# reads from a screen.
LARGEST_BYTES = 1732
# Structured Append spends 20 bits of each code on its place in the row and a parity of all.
_PART_BYTES = 1700
MOST_PARTS = 16


def codes_of(text: str) -> list[Any]:
    """One segno code, or a Structured Append sequence, which readers put together again.

    A bundle has 6144 characters at most, so there are never more than 4.
    """
    # Late: only who wants to see codes waits for it.
    import segno

    if len(text) <= LARGEST_BYTES:
        return [segno.make_qr(text, error="l", boost_error=False)]
    parts = -(-len(text) // _PART_BYTES)
    return list(segno.make_sequence(text, error="l", symbol_count=parts, boost_error=False))

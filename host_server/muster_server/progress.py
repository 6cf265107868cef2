# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Says at the terminal how far something is that takes longer than a moment."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TextIO, TypeVar

T = TypeVar("T")
_BEGIN_S = 0.5  # what is done by then needs no line
_AGAIN_S = 0.1


def counted(things: Sequence[T], what: str, stream: TextIO | None = None) -> Iterator[T]:
    """Yield the things, and count them in one line while somebody looks; it goes at the end."""
    seen = sys.stderr if stream is None else stream
    if not seen.isatty():
        yield from things
        return
    begin = shown = time.monotonic()
    width = 0
    try:
        for done, thing in enumerate(things):
            now = time.monotonic()
            if now - begin > _BEGIN_S and now - shown > _AGAIN_S:
                shown = now
                left_s = (now - begin) / done * (len(things) - done) if done else 0
                line = f"{done} of {len(things)} {what}, some {left_s:.0f} s left"
                seen.write(f"\r{line:<{width}}")
                seen.flush()
                width = len(line)
            yield thing
    finally:
        if width:
            seen.write(f"\r{'':<{width}}\r")
            seen.flush()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Says at the terminal how far something is that takes longer than a moment."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, TypeVar

from muster_server.escaping import escaped, own_stream

T = TypeVar("T")
_BEGIN_S = 0.5  # what is done by then needs no line
_AGAIN_S = 0.1


class _Line:
    """The line at the end of a terminal, written over again and again, and gone at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._width = 0

    def show(self, text: str) -> None:
        line = escaped(text)
        self._stream.write(f"\r{line:<{self._width}}")
        self._stream.flush()
        self._width = len(line)

    def clear(self) -> None:
        if self._width:
            self._stream.write(f"\r{'':<{self._width}}\r")
            self._stream.flush()
            self._width = 0


def counted(things: Sequence[T], what: str, stream: TextIO | None = None) -> Iterator[T]:
    """Yield the things, and count them in one line while somebody looks; it goes at the end."""
    seen = own_stream(sys.stderr) if stream is None else stream
    if not seen.isatty():
        yield from things
        return
    begin = shown = time.monotonic()
    line = _Line(seen)
    try:
        for done, thing in enumerate(things):
            now = time.monotonic()
            if now - begin > _BEGIN_S and now - shown > _AGAIN_S:
                shown = now
                left_s = (now - begin) / done * (len(things) - done) if done else 0
                line.show(f"{done} of {len(things)} {what}, some {left_s:.0f} s left")
            yield thing
    finally:
        line.clear()


@contextmanager
def waiting(what: str, begin_s: float = _BEGIN_S, stream: TextIO | None = None) -> Iterator[None]:
    """Say what is waited for in the block, if that takes longer than `begin_s`."""
    seen = own_stream(sys.stderr) if stream is None else stream
    if not seen.isatty():
        yield
        return
    line = _Line(seen)
    timer = threading.Timer(begin_s, line.show, (f"{what} …",))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        line.clear()

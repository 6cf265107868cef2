# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Text from outside on its way to a terminal or a log: control characters are written, not sent.

An escape sequence in a header, a path or a name would move the cursor of whoever reads it, or
hide a line; a mark that turns the direction of writing would show another order than there is.
"""

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

# C0 and C1 with DEL, the separators that terminals break lines at, the marks of direction
# (Unicode's bidirectional controls), and half surrogates, which no terminal can be sent.
_UNSEEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_CONTROL = re.compile(f"[{_UNSEEN}\ud800-\udfff]")
_CONTROL_OR_BREAK = re.compile(f"[\t\n{_UNSEEN}\ud800-\udfff]")


def escaped(text: str) -> str:
    r"""Return the text on one line, with each control character as \u and four digits."""
    return _CONTROL_OR_BREAK.sub(_written, text)


def escaped_lines(text: str) -> str:
    r"""Return the text with its lines and tabs as they are, and the rest as `escaped` has it.

    JSON stays the same document: such a character may stand in its texts only, and means the same
    when it is written so.
    """
    return _CONTROL.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class EscapingFormatter(logging.Formatter):
    """Writes each record on a line of its own, whatever came from outside is in it.

    The lines of a traceback are indented, so that none of them looks like a record.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = escaped(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in escaped_lines(text).split("\n"))


class EscapedOutput:
    """A text stream that writes control characters instead of sending them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(escaped_lines(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def output_escaped() -> Iterator[None]:
    """Escape what goes to standard output and standard error in the block."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = EscapedOutput(out), EscapedOutput(err)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def own_output() -> TextIO:
    """Return standard output for what this program draws itself, e.g. a QR code in colours."""
    return own_stream(sys.stdout)


def own_stream(stream: Any) -> TextIO:
    """Return the stream itself for what this program draws there, if it is an escaped one."""
    own: TextIO = stream._stream if isinstance(stream, EscapedOutput) else stream
    return own

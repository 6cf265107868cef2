# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Adapts to what the terminal can show, and asks there; a parser that explains itself.

The bench has the same for `muster-unit`, in harness/muster_harness/terminal.py: neither package
imports the other.
"""

import argparse
import codecs
import difflib
import getpass
import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from muster_server.errors import SettingsError

_HANDLER = "muster-written"
# What every terminal can show in place of the signs that this program itself prints.
_PLAIN = {"…": "...", "×": "x", "–": "-", "—": "-", "“": '"', "”": '"', "±": "+-", "✓": "+"}
_BLOCKS = "█▀▄"
_LONGEST_SECRET = 1024
_RED, _PLAIN_AGAIN = "\x1b[31;1m", "\x1b[0m"
_CHOICES = re.compile(r"(?s)(?:argument (?P<what>[^:]+): )?invalid choice: '(?P<came>.*?)' \(")


def carry_any_text() -> None:
    """Let standard output and error take every character, whatever the locale.

    One that they cannot carry is written as its like, or as in JSON: \\u and four digits.
    """
    codecs.register_error(_HANDLER, _written)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _written(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or json.dumps(c)[1:-1] for c in bad), error.end


def can_show(text: str, stream: Any) -> bool:
    """Tell whether the stream's encoding has these characters."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def why_no_code(columns: int, stream: Any) -> str | None:
    """Say why this terminal cannot show a QR code of so many columns; None if it can."""
    if os.environ.get("TERM") == "dumb" and stream.isatty():
        return "this terminal (TERM=dumb) cannot show a QR code"
    if not can_show(_BLOCKS, stream):
        return f"the encoding of this terminal ({stream.encoding}) has no blocks for a QR code"
    if stream.isatty():
        there = os.get_terminal_size(stream.fileno()).columns or columns
        if there < columns:
            return f"this terminal has {there} columns, and the QR code needs {columns}"
    return None


def is_coloured(stream: Any) -> bool:
    """Tell whether colours are wanted there (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def complain(program: str, text: str) -> None:
    """Say on standard error what went wrong."""
    name = f"{program}:"
    if is_coloured(sys.stderr):
        # Below what escapes control characters: these are our own.
        stream: Any = getattr(sys.stderr, "_stream", sys.stderr)
        stream.write(f"{_RED}{name}{_PLAIN_AGAIN} ")
        print(text, file=sys.stderr)
        return
    print(name, text, file=sys.stderr)


def is_person_there() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask_hidden(question: str, option: str) -> str:
    """Ask for a secret, which is not shown while it is typed. SettingsError if nobody answers."""
    if not is_person_there():
        raise SettingsError(f"{option}: nobody can be asked, for this is no terminal")
    try:
        return getpass.getpass(f"{question} (not shown): ", stream=None)
    except EOFError:
        raise SettingsError(f"{option}: nothing was typed") from None


def read_hidden(question: str, option: str) -> str:
    """A secret that is asked for, or read from standard input where nobody can be asked.

    Raises SettingsError if there is none.
    """
    if is_person_there():
        return ask_hidden(question, option)
    text = sys.stdin.readline(_LONGEST_SECRET).rstrip("\r\n")
    if not text:
        raise SettingsError(f"{option}: wanted on standard input, and nothing came")
    return text


class Parser(argparse.ArgumentParser):
    """Says what was meant, in JSON if that is wanted, and shows its help when nothing is given."""

    wants_json = False  # set before anything is parsed: an error may come first

    def error(self, message: str) -> NoReturn:
        message = self._with_hint(message)
        if Parser.wants_json:
            self.exit(2, error_json("usage", message) + "\n")
        self.print_usage(sys.stderr)
        complain(self.prog, f"{message}\ntry: {self.prog} --help")
        self.exit(2)

    def _with_hint(self, message: str) -> str:
        found = _CHOICES.match(message)
        if found is None:
            return message
        near = difflib.get_close_matches(found["came"], self._words(), 1)
        if near:
            return f'there is no "{found["came"]}"; did you mean "{near[0]}"?'
        return message if self._groups() is None else f'there is no "{found["came"]}"'

    def _words(self) -> Sequence[str]:
        return [str(word) for action in self._actions if action.choices for word in action.choices]

    def _groups(self) -> argparse.Action | None:
        return next((a for a in self._actions if isinstance(a, argparse._SubParsersAction)), None)


def helped(parser: argparse.ArgumentParser) -> Callable[[], NoReturn]:
    """Return a function that shows the help of a group of which no command was named."""

    def show() -> NoReturn:
        if Parser.wants_json:
            parser.error("which command? none was given")
        parser.print_help(sys.stderr)
        parser.exit(2)

    return show


def error_json(code: str, detail: str, **more: object) -> str:
    """An error as one line for scripts."""
    return json.dumps({"error": {"code": code, "detail": detail, **more}})

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Adapts to what the terminal can show; a parser that explains itself.

The servers have the same for `muster`, in host_server/muster_server/terminal.py: neither package
imports the other.
"""

import argparse
import codecs
import difflib
import io
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

_HANDLER = "muster-written"
# What every terminal can show in place of the signs that this program itself prints.
_PLAIN = {"…": "...", "×": "x", "–": "-", "—": "-", "“": '"', "”": '"', "±": "+-", "✓": "+"}
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


def is_coloured(stream: Any) -> bool:
    """Tell whether colours are wanted there (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def complain(program: str, text: str) -> None:
    """Say on standard error what went wrong."""
    name = f"{program}:"
    if is_coloured(sys.stderr):
        name = f"{_RED}{name}{_PLAIN_AGAIN}"
    print(name, text, file=sys.stderr)


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

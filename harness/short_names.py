# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes a package's private names short and few before it is compiled.

MicroPython keeps each name that it has ever seen until it is switched off, some 25 bytes each, and
when its table of names is full it takes one twice as large, in one piece (py/qstr.c). What a
module calls its own parts matters to people alone, and they read the sources: lines stay as they
are, so a traceback leads to the right one.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from string import ascii_lowercase

_PRIVATE = re.compile(r"_[a-z]\w*")


def shortened(package: Path) -> dict[Path, bytes]:
    """Each source file of the package, with new names for what is private to it.

    Private is what begins with one underscore, is made in this file, and stands in no other one
    and in no text of any (for getattr). A package with a file that is no Python stays as it is:
    the compiler says what is wrong.
    """
    texts = {path: path.read_text() for path in sorted(package.rglob("*.py"))}
    try:
        return _shortened(texts)
    except (SyntaxError, tokenize.TokenError):
        return {path: text.encode() for path, text in texts.items()}


def _shortened(texts: dict[Path, str]) -> dict[Path, bytes]:
    tokens = {path: _tokens(text) for path, text in texts.items()}
    files = Counter(name for found in tokens.values() for name in {t.string for t in found})
    quoted = {name for found in tokens.values() for name in _quoted(found)}
    made: dict[Path, bytes] = {}
    for path, text in texts.items():
        used = Counter(t.string for t in tokens[path] if t.type == tokenize.NAME)
        own = [name for name in _made_in(text) if files[name] == 1 and name not in quoted]
        own.sort(key=lambda name: (-used[name], name))
        fresh = (name for name in _short() if name not in files and name not in quoted)
        renamed = dict(zip(own, fresh, strict=False))
        made[path] = _with_names(text, tokens[path], renamed).encode()
    return made


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def _quoted(tokens: list[tokenize.TokenInfo]) -> Iterator[str]:
    for token in tokens:
        if token.type == tokenize.STRING:
            yield from _PRIVATE.findall(token.string)


def _made_in(text: str) -> set[str]:
    """The private names that this file makes, and so may make otherwise."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names |= {node.attr} if ast.unparse(node.value) == "self" else set()
    return {name for name in names if _PRIVATE.fullmatch(name)}


def _short() -> Iterator[str]:
    """_a, _b, … _z, _aa, …"""
    for length in count(1):
        for number in range(len(ascii_lowercase) ** length):
            letters = ""
            for _ in range(length):
                number, at = divmod(number, len(ascii_lowercase))
                letters = ascii_lowercase[at] + letters
            yield "_" + letters


def _with_names(text: str, tokens: list[tokenize.TokenInfo], renamed: dict[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    for token in reversed(tokens):  # from the end, so that places stay where they are
        if token.type == tokenize.NAME and token.string in renamed:
            row, begin = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:begin] + renamed[token.string] + line[token.end[1] :]
    return "".join(lines)

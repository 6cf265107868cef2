# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes a package's private names short and few before it is compiled.

MicroPython keeps each name that it has ever seen until it is switched off, some 25 bytes each, and
when its table of names is full it takes one twice as large, in one piece (py/qstr.c). Only people
care about the names of a module's own parts, and they read the sources. Lines stay where they are,
so a traceback leads to the right one.
"""

import ast
import builtins
import io
import re
import tokenize
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path
from string import ascii_lowercase

from muster_harness.deploy.constants import in_place

_PRIVATE = re.compile(r"_[a-zA-Z]\w*")
_NAME = re.compile(r"[a-zA-Z_]\w*")


def shortened(package: Path, is_closed: bool = False) -> dict[Path, bytes]:
    """Return each source file of the package, with new names for its private ones.

    A private name begins with one underscore and stands in no text of any file (for getattr). Each
    file that has it makes it, so it is another one there, unless a class goes on with one of
    another file: then it stands in no other file at all. In a closed package, whose functions
    nobody else calls with keywords, parameters are private too, unless the package names them in
    a call, and constants stand in the place of their names (constants.py). A package with a file
    that is not Python stays unchanged: the compiler says what is wrong.
    """
    texts = {path: path.read_text() for path in sorted(package.rglob("*.py"))}
    try:
        return _shortened(in_place(texts) if is_closed else texts, is_closed)
    except (SyntaxError, tokenize.TokenError):
        return {path: text.encode() for path, text in texts.items()}


def _shortened(texts: dict[Path, str], is_closed: bool) -> dict[Path, bytes]:
    tokens = {path: _tokens(text) for path, text in texts.items()}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    files = Counter(name for found in tokens.values() for name in {t.string for t in found})
    quoted = {name for found in tokens.values() for name in _quoted(found)}
    known = quoted.union(dir(builtins), *map(_not_local, trees.values()))
    own_in = {path: _made_in(tree) for path, tree in trees.items()}
    makers = Counter(name for own in own_in.values() for name in own)
    shared = set().union(*map(_asked_of_others, trees.values()))
    lines = _lines_of_descent(trees)
    most = 1 if len(set(lines.values())) < len(trees) else len(texts)
    # Classes of one line have their attributes in one place, whichever file says so.
    fresh_in = {line: _fresh(files.keys() | quoted) for line in set(lines.values())}
    made: dict[Path, bytes] = {}
    for path, text in texts.items():
        used = Counter(t.string for t in tokens[path] if t.type == tokenize.NAME)
        own = {
            name
            for name in own_in[path] - quoted
            if files[name] == min(makers[name], 1 if name in shared else most)
        }
        if is_closed:
            own |= _parameters(trees[path]) - known
        frequent = sorted(own, key=lambda name: (-used[name], name))
        renamed = {name: next(fresh_in[lines[path]]) for name in frequent}
        made[path] = _with_names(text, tokens[path], renamed).encode()
    return made


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def _quoted(tokens: list[tokenize.TokenInfo]) -> Iterator[str]:
    for token in tokens:
        if token.type == tokenize.STRING:
            value = ast.literal_eval(token.string)
            if isinstance(value, str):  # MicroPython has no names that are bytes
                yield from _NAME.findall(value)


def _parameters(tree: ast.Module) -> set[str]:
    """Return the names that only this file's functions see, if nobody calls them with keywords."""
    return {
        argument.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for argument in node.posonlyargs + node.args + node.kwonlyargs
    }


def _not_local(tree: ast.Module) -> Iterator[str]:
    """Yield the names that are more than a local variable somewhere in this file."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute():
                yield node.attr
            case ast.keyword(arg=str()):
                yield str(node.arg)
            case ast.alias():
                yield from f"{node.name}.{node.asname}".split(".")
            case ast.ImportFrom():
                yield from (node.module or "").split(".")
            case ast.Global() | ast.Nonlocal():
                yield from node.names
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
    for body in (
        node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef)
    ):
        for statement in body:
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from (n.id for n in ast.walk(statement) if isinstance(n, ast.Name))


def _lines_of_descent(trees: dict[Path, ast.Module]) -> dict[Path, Path]:
    """Return for each file the first of those whose classes go on with one another's."""
    classes = {
        path: [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for path, tree in trees.items()
    }
    defined = {node.name: path for path, nodes in classes.items() for node in nodes}
    lines = {path: path for path in trees}
    for path, nodes in classes.items():
        for base in (base for node in nodes for base in node.bases):
            other = defined.get(ast.unparse(base).rsplit(".", 1)[-1], path)
            joined = {lines[path], lines[other]}
            first = min(joined)
            lines = {file: first if line in joined else line for file, line in lines.items()}
    return lines


def _asked_of_others(tree: ast.Module) -> set[str]:
    """Return the attributes that this file reads or changes of anything but `self`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "self"
    }


def _made_in(tree: ast.Module) -> set[str]:
    """Return the private names that this file makes, and so may make otherwise."""
    names = set()
    vanishing = set()  # private constants, which the compiler puts in place itself
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("const("):
            vanishing |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names |= {node.attr} if ast.unparse(node.value) == "self" else set()
    return {name for name in names - vanishing if _PRIVATE.fullmatch(name)}


def _fresh(known: Collection[str]) -> Iterator[str]:
    return (name for name in _short() if name not in known)


def _short() -> Iterator[str]:
    """Yield short names without end: _a, _b, … _z, _aa, …"""
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

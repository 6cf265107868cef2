# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts marks into MicroPython source: a line that runs notes that in an array of bytes.

Every mark stands on a line that is there, so that lines keep their numbers. A statement of its
own costs least, `name[3]=1`: before a simple statement, and for a compound one at the end of the
statement before it or in an empty line above it. Else it is a part of an expression,
`if call("B",name,3,1)or(condition):`.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

CALL = "_hil_mark"  # struct.pack_into, among the builtins of a board that is watched
_UNMARKED = ("viper", "asm_")  # decorators of what is no Python inside
_BLANK = re.compile(rb"\s*(#.*)?\s*")
_SILENT = (ast.Global, ast.Nonlocal)
_LOOPS = (ast.For, ast.AsyncFor)
_WITHS = (ast.With, ast.AsyncWith)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPOUND = (*_LOOPS, *_WITHS, *_DEFINITIONS, ast.If, ast.While, ast.Try)


@dataclass(frozen=True)
class Marked:
    """A source with its marks: `lines` maps each line that can be watched to its mark."""

    text: bytes
    lines: dict[int, int]

    @property
    def marks(self) -> int:
        """The number of marks, hence the size of the array."""
        return max(self.lines.values(), default=-1) + 1


def marked(text: bytes, name: str) -> Marked:
    """Return a source with marks that write into the array called `name`.

    A source that is not understood, because MicroPython's dialect differs, comes back as it is,
    without lines: it runs and is not watched.
    """
    try:
        tree = ast.parse(text)
        marker = _Marker(text, name)
        marker.module(tree.body)
        changed = marker.changed()
        ast.parse(changed)
    except (SyntaxError, ValueError, RecursionError):
        return Marked(text, {})
    return Marked(changed, marker.lines)


class _Marker:
    """Walks through one source and gathers what is to be put where."""

    def __init__(self, text: bytes, name: str):
        self._name = name
        self._rows = text.split(b"\n")
        self._pieces: list[tuple[int, int, bytes]] = []  # line, column, what to put there
        self._refilled: dict[int, bytes] = {}  # empty lines that hold a mark now
        self._count = self._depth = 0
        self._fetch = ""
        self.lines: dict[int, int] = {}

    def changed(self) -> bytes:
        rows = list(self._rows)
        for line, column, piece in sorted(self._pieces, key=lambda p: p[:2], reverse=True):
            row = rows[line - 1]
            rows[line - 1] = row[:column] + piece + row[column:]
        for line, row in self._refilled.items():
            rows[line - 1] = row
        return b"\n".join(rows)

    def module(self, body: list[ast.stmt]) -> None:
        # The first mark brings the array into the module: there it is found in a third of the
        # time that it takes among the builtins.
        self._fetch = f"{self._name}={self._name};"
        self._block(body)
        if body and isinstance(body[-1], _DEFINITIONS) and body[-1].lineno not in self.lines:
            mark = f"\n{self._name}[{self._new(body[-1].lineno)}]=1"
            self._put(len(self._rows), len(self._rows[-1]), mark)
            self._first_definitions(body, None)

    def _block(self, body: Sequence[ast.stmt], header: ast.stmt | None = None) -> None:
        before: ast.stmt | None = None
        self._depth += 1
        for statement in body:
            if isinstance(statement, _COMPOUND):
                self._compound(statement, before)
            elif header is not None and statement.lineno == header.lineno:
                pass  # `if x: y` is one line
            elif not isinstance(statement, _SILENT) and not _is_docstring(statement):
                self._simple(statement, before)
            before = statement
        self._depth -= 1
        self._first_definitions(body, header)

    def _first_definitions(self, body: Sequence[ast.stmt], header: ast.stmt | None) -> None:
        """Give a definition that nothing stands above the mark of its class, or of what follows:
        it cannot fail."""
        for statement, after in reversed(list(pairwise(body))):
            if isinstance(statement, _DEFINITIONS):
                self._share(statement.lineno, after.lineno)
        if isinstance(header, ast.ClassDef) and isinstance(body[0], _DEFINITIONS):
            self._share(body[0].lineno, header.lineno)

    # -- simple statements

    def _simple(self, statement: ast.stmt, before: ast.stmt | None) -> None:
        line = statement.lineno
        if line in self.lines:
            return
        if before is not None and _cannot_fail(before) and before.lineno in self.lines:
            self.lines[line] = self.lines[before.lineno]
            return
        self._put(line, statement.col_offset, self._statement(self._new(line)) + ";")

    # -- compound statements

    def _compound(self, statement: ast.stmt, before: ast.stmt | None) -> None:
        line = statement.lineno
        if line not in self.lines and not self._put_above(statement, before):
            self._put_inside(statement, before)
        self._bodies(statement)
        if line not in self.lines and isinstance(statement, ast.Try):
            self._share(line, statement.body[0].lineno)

    def _put_above(self, statement: ast.stmt, before: ast.stmt | None) -> bool:
        """Mark the statement where the one before it ends, or in the empty line above it."""
        line = statement.lineno
        if self._is_elif(statement):
            return False
        if before is not None and _cannot_fail(before) and before.lineno in self.lines:
            self._share(line, before.lineno)
            return True
        if before is not None and not isinstance(before, _COMPOUND):
            self._put(*_end(before), ";" + self._statement(self._new(line)))
            return True
        decorators = getattr(statement, "decorator_list", [])
        first = min([line, *(decorator.lineno for decorator in decorators)])
        above = first - 1
        if above < 1 or above in self._refilled or not _BLANK.fullmatch(self._rows[above - 1]):
            return False
        if above > 1 and self._rows[above - 2].rstrip().endswith(b"\\"):
            return False
        indent = self._rows[first - 1][: statement.col_offset]
        if indent.strip():
            return False
        comment = self._rows[above - 1].strip()
        mark = self._statement(self._new(line)).encode()
        self._refilled[above] = indent + mark + (b"  " + comment if comment else b"")
        return True

    def _put_inside(self, statement: ast.stmt, before: ast.stmt | None) -> None:
        """Mark it by an expression of its own; a definition has the mark of the one before it."""
        line = statement.lineno
        if isinstance(statement, (ast.If, ast.While)):
            self._wrap(statement.test, line)
        elif isinstance(statement, _WITHS):
            self._wrap(statement.items[0].context_expr, line)
        elif isinstance(statement, _LOOPS):
            self._wrap(_counted_to(statement.iter), line)
        elif isinstance(before, _DEFINITIONS):
            self._share(line, before.lineno)

    def _bodies(self, statement: ast.stmt) -> None:
        if any(_is_unmarked(d) for d in getattr(statement, "decorator_list", ())):
            return
        for part in ("body", "orelse", "finalbody"):
            if body := getattr(statement, part, ()):
                self._block(body, statement)
        for handler in getattr(statement, "handlers", ()):
            self._block(handler.body)
            self._share(handler.lineno, handler.body[0].lineno)

    def _is_elif(self, statement: ast.stmt) -> bool:
        row = self._rows[statement.lineno - 1][statement.col_offset :]
        return isinstance(statement, ast.If) and row.startswith(b"elif")

    # -- marks

    def _new(self, line: int) -> int:
        number = self.lines[line] = self._count
        self._count += 1
        return number

    def _share(self, line: int, other: int) -> None:
        if other in self.lines:
            self.lines.setdefault(line, self.lines[other])

    def _statement(self, mark: int) -> str:
        fetch = ""
        if self._depth == 1:
            fetch, self._fetch = self._fetch, ""
        return f"{fetch}{self._name}[{mark}]=1"

    def _wrap(self, expression: ast.expr, line: int) -> None:
        mark = f'{CALL}("B",{self._name},{self._new(line)},1)or('
        self._put(expression.lineno, expression.col_offset, mark)
        self._put(*_end(expression), ")")

    def _put(self, line: int, column: int, piece: str) -> None:
        self._pieces.append((line, column, piece.encode()))


def _end(node: ast.stmt | ast.expr) -> tuple[int, int]:
    """Return the line and column after it, which every node of a parsed text has."""
    return node.end_lineno or 0, node.end_col_offset or 0


def _counted_to(expression: ast.expr) -> ast.expr:
    """Return what of an iterable to wrap: `range(…)` itself has to stay, it is compiled to a
    loop."""
    is_range = isinstance(expression, ast.Call) and ast.unparse(expression.func) == "range"
    if is_range and isinstance(expression, ast.Call) and expression.args:
        return expression.args[0]
    return expression


def _is_docstring(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(statement, ast.Expr) and isinstance(value, ast.Constant)


def _cannot_fail(statement: ast.stmt) -> bool:
    """True if the statement after it runs whenever it runs itself."""
    if isinstance(statement, ast.Pass):
        return True
    if not isinstance(statement, ast.Assign):
        return False
    names = all(isinstance(target, ast.Name) for target in statement.targets)
    return names and isinstance(statement.value, ast.Constant)


def _is_unmarked(decorator: ast.expr) -> bool:
    name = ast.unparse(decorator).rpartition(".")[2]
    return name.startswith(_UNMARKED)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A copy of the firmware that notes which of its blocks have run.

MicroPython as published has no `sys.settrace`. So each function body, branch, loop body and
handler begins with a note, and on the interpreter an input that reaches something new can be told.
"""

import ast
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_BLOCKS = ("body", "orelse", "finalbody")
_STATEMENTS = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.If,
    ast.For,
    ast.While,
    ast.Try,
    ast.With,
)
_IMPORT = "from hits import hits as _hits"


class _Notes(ast.NodeTransformer):
    def __init__(self, first: int) -> None:
        self.next = first

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (*_STATEMENTS, ast.ExceptHandler)):
            for name in _BLOCKS:
                block: list[Any] | None = getattr(node, name, None)
                if block and not (name == "orelse" and isinstance(block[0], ast.If)):
                    block.insert(0, ast.parse(f"_hits[{self.next}] = 1").body[0])
                    self.next += 1
        return node


def noted_copy(target: Path) -> int:
    """Writes it below `target`; returns the number of blocks."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "muster").mkdir(parents=True)
    count = 0
    for source in sorted((ROOT / "firmware/muster").glob("*.py")):
        notes = _Notes(count)
        tree = notes.visit(ast.parse(source.read_text()))
        tree.body.insert(0, ast.parse(_IMPORT).body[0])
        (target / "muster" / source.name).write_text(ast.unparse(tree) + "\n")
        count = notes.next
    (target / "hits.py").write_text(f"hits = bytearray({count})\n")
    return count

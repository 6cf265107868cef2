# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts a closed package's constants in the place of their names before it is compiled.

MicroPython's compiler does so with private constants of one file. A public one that several files
import costs a name for good, and an entry in the table of each of them. Lines stay where they are.
"""

import ast
import re
from collections import Counter
from pathlib import Path

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_LONGEST = 10  # characters of a text that MicroPython keeps once, however often it is written


def in_place(texts: dict[Path, str]) -> dict[Path, str]:
    """Return the files of a flat package with its public constants replaced by their values.

    Such a constant is in capitals, an integer or a short text, given once, at the top of a file,
    and imported by `from .file import NAME` or used as `file.NAME`. One that is imported in
    another way, bound to anything else somewhere, or quoted anywhere stays. Raises SyntaxError.
    """
    trees = {path: ast.parse(text) for path, text in texts.items()}
    found = {
        # What stands in the package itself is there for those who import it.
        path.stem: {} if path.stem == "__init__" else _constants(tree)
        for path, tree in trees.items()
    }
    kept = _bound_otherwise(trees, found)
    chosen = {
        module: {name: value for name, value in values.items() if name not in kept}
        for module, values in found.items()
    }
    return {path: _replaced(text, trees[path], path.stem, chosen) for path, text in texts.items()}


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return a file's public constants and their values, as they are written."""
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if isinstance(value, ast.Call) and ast.unparse(value.func) == "const":
                    value = value.args[0]
                if _is_plain(value) and _CONSTANT.fullmatch(name):
                    found[name] = ast.unparse(value)
    return found


def _is_plain(value: ast.expr) -> bool:
    if not isinstance(value, ast.Constant):
        return False
    is_text = isinstance(value.value, str) and len(value.value) <= _LONGEST
    return is_text or type(value.value) is int


def _bound_otherwise(trees: dict[Path, ast.Module], found: dict[str, dict[str, str]]) -> set[str]:
    """Return the names that are more than one constant of one file."""
    kept = set()
    makers = Counter(name for values in found.values() for name in values)
    stored = Counter(
        node.id
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    kept |= {name for name, times in stored.items() if times > makers[name]}
    for tree in trees.values():
        for node in ast.walk(tree):
            match node:
                case ast.arg(arg=name) | ast.Constant(value=str(name)):
                    kept.add(name)
                case ast.Attribute(attr=name, ctx=ast.Store() | ast.Del()):
                    kept.add(name)
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    kept |= set(names)
                case ast.alias(name=name, asname=str()):
                    kept.add(name)
                case ast.ImportFrom(level=level, module=module, names=names):
                    for alias in names:
                        is_ours = level == 1 and module and alias.name in found.get(module, {})
                        kept |= set() if is_ours else {alias.name}
    return kept | {name for name, times in makers.items() if times > 1}


def _replaced(text: str, tree: ast.Module, module: str, chosen: dict[str, dict[str, str]]) -> str:
    values = dict(chosen[module])
    modules = set()
    new: list[tuple[ast.stmt | ast.expr, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            values_there = chosen.get(node.module or "", {})
            taken = {alias.name for alias in node.names} & values_there.keys()
            left = [alias for alias in node.names if alias.name not in taken]
            values |= {name: values_there[name] for name in taken}
            modules |= set() if node.module else {alias.asname or alias.name for alias in left}
            if taken:
                words = ", ".join(ast.unparse(alias) for alias in left)
                new.append((node, f"from .{node.module} import {words}" if left else "pass"))
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if name in chosen[module]:
                new.append((node, "pass"))
            case ast.Name(id=name, ctx=ast.Load()) if name in values:
                new.append((node, values[name]))
            case ast.Attribute(value=ast.Name(id=other), attr=name) if other in modules:
                if name in chosen.get(other, {}):
                    new.append((node, chosen[other][name]))
    lines = text.encode().splitlines(keepends=True)
    for node, words in sorted(new, key=lambda item: (-item[0].lineno, -item[0].col_offset)):
        _put(lines, node, words.encode())
    return b"".join(lines).decode()


def _put(lines: list[bytes], node: ast.stmt | ast.expr, words: bytes) -> None:
    """Put words in the place of a node, whose columns are counted in bytes."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    end = lines[last][node.end_col_offset :]
    lines[first] = lines[first][: node.col_offset] + words + (b"\n" if last > first else end)
    for row in range(first + 1, last + 1):
        lines[row] = end if row == last else b"\n"

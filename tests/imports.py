# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Reads from the source of a file what it imports; nothing is run."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

_LOADERS = ("borrow", "borrowed")  # of firmware/muster/modules.py
_MADE = {"build", "__pycache__", ".venv"}


def files(folder: Path) -> list[Path]:
    """Return the Python files of a folder, but for built ones and for links."""
    inside = [p for p in folder.rglob("*.py") if not _MADE & set(p.relative_to(folder).parts)]
    return [p for p in inside if not any(q.is_symlink() for q in p.parents if q != folder)]


def of(path: Path, package: Path) -> set[str]:
    """Return the absolute names that a file imports anywhere.

    Late imports and those for types count; relative ones are resolved; so are the modules that the
    firmware borrows.
    """
    home = _home(path)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(home[: len(home) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in _LOADERS:
            # the first word is loaded; the others only go again with it
            found.add(f"{'.'.join(home)}.{_words(node.args[0])[0]}")
    return found


def graph(package: Path) -> dict[str, set[str]]:
    """Return the modules of a package, e.g. "air.visitor", with the others that each imports.

    "" is the package itself.
    """
    modules = {_name(path, package): path for path in files(package)}
    edges: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {
            name.removeprefix(package.name + ".")
            for name in of(path, package)
            if name.startswith(package.name + ".")
        }
        edges[module] = {name for name in names if name in modules} - {module}
    return edges


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other, directly or by way of others, sorted."""
    reached = {module: set(_reached(module, edges)) for module in edges}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached.get(other, ())))
        for module in edges
        if module in reached[module]
    }
    return [list(group) for group in sorted(groups)]


def _reached(module: str, edges: Mapping[str, set[str]]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(edges[module])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += edges.get(name, ())


def _home(path: Path) -> list[str]:
    """The package that a file lies in, e.g. ["muster_harness", "air"]."""
    home: list[str] = []
    folder = path.parent
    while (folder / "__init__.py").exists():
        home.insert(0, folder.name)
        folder = folder.parent
    return home


def _name(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _words(node: ast.expr) -> list[str]:
    assert isinstance(node, ast.Constant) and isinstance(node.value, str), ast.unparse(node)
    return node.value.split()

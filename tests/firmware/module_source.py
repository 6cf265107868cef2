# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A module of the firmware, read from its source: what it defines, imports and lets go."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

LOADER = "modules"

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """The source of one module."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.tree = ast.parse(path.read_text(), str(path))

    @cached_property
    def definitions(self) -> dict[str, Function | ast.ClassDef]:
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        return {node.name: node for node in self.tree.body if isinstance(node, kinds)}

    @cached_property
    def constants(self) -> dict[str, object]:
        """Return a module's `NAME = const(…)` and `NAME = …`, as far as they are literals."""
        found: dict[str, object] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = node.value
                if isinstance(value, ast.Call) and ast.unparse(value.func) == "const":
                    value = value.args[0]
                try:
                    found[node.targets[0].id] = ast.literal_eval(value)
                except ValueError:
                    continue
        return found

    def imports(self, names: set[str]) -> set[str]:
        """Return those of the modules that come with a module, as it imports them at its top."""
        return _imported(self.tree.body) & names

    def late_imports(self, definition: str, names: set[str]) -> set[str]:
        """Return those of the modules that one of its definitions imports when it runs."""
        return _imported(ast.walk(self.definitions[definition])) & names

    def releases(self, definition: str) -> Iterator[tuple[int, set[str]]]:
        """Line and modules of each `release(…)` in it; ValueError if they are no literals."""
        for node in ast.walk(self.definitions[definition]):
            is_release = isinstance(node, ast.Call) and ast.unparse(node.func) == "release"
            if isinstance(node, ast.Call) and is_release and self.name != LOADER:
                yield node.lineno, {name for word in node.args for name in self._names(word)}

    def mentions(self, definition: str) -> Iterator[tuple[str, str]]:
        """Module and name of what a definition uses, of this module and of others."""
        origins = {name: (self.name, name) for name in self.definitions}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.level:
                for alias in node.names:
                    origins[alias.asname or alias.name] = (node.module, alias.name)
        for node in ast.walk(self.definitions[definition]):
            if isinstance(node, ast.Name) and node.id in origins:
                yield origins[node.id]
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                yield node.value.id, node.attr

    def _names(self, word: ast.expr) -> tuple[str, ...]:
        if isinstance(word, ast.Starred) and isinstance(word.value, ast.Name):
            value = self.constants.get(word.value.id)
        else:
            value = (word.value,) if isinstance(word, ast.Constant) else None
        if not isinstance(value, tuple):
            raise ValueError(f"{self.name}.py:{word.lineno}: release() wants names in quotes")
        return value


def signature(definition: Function | ast.ClassDef) -> inspect.Signature:
    """Return the parameters of a function, or of a class's __init__."""
    if isinstance(definition, ast.ClassDef):
        inits = [
            node
            for node in definition.body
            if isinstance(node, ast.FunctionDef) and node.name == "__init__"
        ]
        if not inits:
            return inspect.Signature()
        whole = list(signature(inits[0]).parameters.values())
        return inspect.Signature(whole[1:])
    found = definition.args
    needed = len(found.args) - len(found.defaults)
    parameters = [
        inspect.Parameter(
            argument.arg,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if at < needed else None,
        )
        for at, argument in enumerate(found.args)
    ]
    if found.vararg:
        kind = inspect.Parameter.VAR_POSITIONAL
        parameters.append(inspect.Parameter(found.vararg.arg, kind))
    return inspect.Signature(parameters)


def is_awaitable(module: Module, definition: Function | ast.ClassDef) -> bool:
    """Tell whether the function's result wants to be awaited: a coroutine, its own or
    another's."""
    if isinstance(definition, ast.ClassDef):
        return False
    if isinstance(definition, ast.AsyncFunctionDef):
        return True
    coroutines = {
        name
        for name, other in module.definitions.items()
        if isinstance(other, ast.AsyncFunctionDef)
    } | {"borrowed"}
    return any(
        isinstance(node, ast.Return)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) in coroutines
        for node in ast.walk(definition)
    )


def _imported(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Checks what the firmware's loader (firmware/muster/modules.py) is told in strings.

`python -m tests.firmware.borrowed_calls` prints each fault and ends with 1 if there is one: a
module or a function that does not exist, arguments that do not fit, `borrow` of a coroutine
function or `borrowed` of a plain one, and modules that are let go too few or too many.
Nothing of the firmware is run.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.firmware.module_source import LOADER, Function, Module, is_awaitable, signature

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "muster"
# What a device keeps from its start to its end: what the life consists of. The rest is on loan.
STAYS = {
    *("actions", "backoff", "button", "clock", "compact", "contact", "errors", "journal"),
    *("label", "led", "lifecycle", "listening", "log", LOADER, "pulse", "radio", "start", "store"),
    *("room", "timeline", "wifi"),
}
# For a person at the prompt, where no memory is short.
AT_PROMPT = {"recorder"}


@dataclass(frozen=True)
class Call:
    """A call of `borrow` or `borrowed`, complete: whatever was passed on to it is filled in."""

    where: str
    loader: str
    modules: list[str]
    function: str
    arguments: int
    has_keywords: bool


class Firmware:
    """A flat package whose modules borrow functions from each other."""

    def __init__(self, package: Path = FIRMWARE, stays: set[str] = STAYS) -> None:
        paths = sorted(path for path in package.glob("*.py") if path.stem != "__init__")
        self.modules = {path.stem: Module(path) for path in paths}
        self._stays = stays

    def faults(self) -> list[str]:
        """Return everything that is wrong, one line each, for people."""
        try:
            return self._all_faults()
        except ValueError as e:
            return [str(e)]

    def _all_faults(self) -> list[str]:
        told: list[str] = []
        lent: set[str] = set()
        for module in self.modules.values():
            if module.name == LOADER:
                continue
            for call in self._calls(module, told):
                lent |= set(call.modules)
                told += [f"{call.where}: {fault}" for fault in self._faults(module, call)]
            for definition in module.definitions:
                for line, names in module.releases(definition):
                    lent |= names
                    where = f"{module.name}.py:{line}: release: "
                    left = self._left_behind(module, definition, names)
                    told += [where + fault for fault in left]
        told += [f"{name} stays, but is let go" for name in sorted(lent & self._stays)]
        kept = self.modules.keys() - lent - self._stays - AT_PROMPT
        told += [f"{name} is never let go; it belongs into STAYS" for name in sorted(kept)]
        return told

    def _faults(self, module: Module, call: Call) -> Iterator[str]:
        unknown = [name for name in call.modules if name not in self.modules]
        if unknown:
            yield f"there is no module {', '.join(unknown)}"
            return
        first, others = call.modules[0], set(call.modules[1:])
        definition = self.modules[first].definitions.get(call.function)
        if definition is None:
            yield f"{first}.py defines no {call.function}"
            return
        if call.has_keywords:
            yield f"{call.loader} passes on no keyword arguments"
        try:
            signature(definition).bind(*[None] * call.arguments)
        except TypeError as e:
            yield f"{first}.{call.function}: {e} ({call.arguments} given)"
        if (call.loader == "borrowed") != is_awaitable(self.modules[first], definition):
            other = "borrow" if call.loader == "borrowed" else "borrowed"
            yield f"{first}.{call.function} is for {other}"
        held = self._with_it({module.name}) | self._stays
        loaded, let_go = self._run(first, call.function)
        loaded -= held | {first}
        if others - loaded:
            yield f"{first}.{call.function} does not load {', '.join(sorted(others - loaded))}"
        if loaded - let_go - others:
            missing = ", ".join(sorted(loaded - let_go - others))
            yield f"{first}.{call.function} loads {missing} too"

    def _left_behind(self, module: Module, definition: str, names: set[str]) -> Iterator[str]:
        if names - self.modules.keys():
            yield f"there is no module {', '.join(sorted(names - self.modules.keys()))}"
            return
        held = self._with_it({module.name}) | self._stays
        late = {
            other
            for name, inner in self._reached(module.name, definition)
            if name in names
            for other in self.modules[name].late_imports(inner, set(self.modules))
        }
        _, let_go = self._run(module.name, definition)
        missing = self._with_it(names | late) - held - names - let_go
        if missing:
            yield f"{', '.join(sorted(names))} load {', '.join(sorted(missing))} too"

    def _with_it(self, names: set[str]) -> set[str]:
        """The modules, and those that come with them."""
        found: set[str] = set()
        waiting = set(names)
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= self.modules[name].imports(set(self.modules)) - found
        return found

    def _reached(self, name: str, definition: str) -> set[tuple[str, str]]:
        """The definition and all that it uses, but for what the life itself consists of."""
        found: set[tuple[str, str]] = set()
        waiting = {(name, definition)}
        while waiting:
            at = waiting.pop()
            found.add(at)
            for other, word in self.modules[at[0]].mentions(at[1]):
                is_ours = other in self.modules and other not in self._stays
                if is_ours and word in self.modules[other].definitions:
                    waiting |= {(other, word)} - found
        return found

    def _run(self, name: str, definition: str) -> tuple[set[str], set[str]]:
        """Return what is loaded until the definition has run, and what of that it lets go
        itself."""
        loaded, let_go = {name}, set()
        for module, inner in self._reached(name, definition):
            loaded |= self.modules[module].late_imports(inner, set(self.modules))
            for _, released in self.modules[module].releases(inner):
                let_go |= released
        return self._with_it(loaded), let_go

    def _calls(self, module: Module, told: list[str]) -> Iterator[Call]:
        dropped = {id(n.value) for n in ast.walk(module.tree) if isinstance(n, ast.Expr)}
        for function, node in _with_function(module.tree):
            loader = ast.unparse(node.func)
            if loader not in ("borrow", "borrowed"):
                continue
            where = f"{module.name}.py:{node.lineno}"
            if loader == "borrowed" and id(node) in dropped:
                told.append(f"{where}: nobody awaits it")
            passed_on = function and _passed_on(function, node)
            if not passed_on:
                call = _complete(where, loader, node.args, node.keywords)
                if call is None:
                    told.append(f"{where}: {loader} wants modules and function in quotes")
                else:
                    yield call
            else:
                assert function
                yield from self._through(module, function, node, told)

    def _through(
        self, module: Module, function: Function, node: ast.Call, told: list[str]
    ) -> Iterator[Call]:
        """The calls that a function makes of what it is called with itself."""
        loader = ast.unparse(node.func)
        count = 0
        for name, use in self._uses(function.name):
            count += 1
            where = f"{name}.py:{use.lineno}"
            arguments = _filled_in(function, node, use) if isinstance(use, ast.Call) else None
            call = arguments and _complete(where, loader, arguments, [])
            if call:
                yield call
            else:
                told.append(f"{where}: {function.name} must be called, with its words in quotes")
        if not count:
            told.append(f"{module.name}.py:{node.lineno}: nobody calls {function.name}")

    def _uses(self, name: str) -> Iterator[tuple[str, ast.expr]]:
        """Return the places where that function is called, as the call, or named in any other
        way."""
        for module in self.modules.values():
            called = set()
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and _last_name(node.func) == name:
                    called.add(id(node.func))
                    yield module.name, node
            for node in ast.walk(module.tree):
                is_name = isinstance(node, ast.Name | ast.Attribute) and _last_name(node) == name
                if is_name and id(node) not in called:
                    assert isinstance(node, ast.expr)
                    yield module.name, node


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _with_function(tree: ast.Module) -> Iterator[tuple[Function | None, ast.Call]]:
    """Each call, and the innermost function that it stands in."""
    waiting: list[tuple[Function | None, ast.AST]] = [(None, tree)]
    while waiting:
        function, node = waiting.pop(0)
        if isinstance(node, ast.Call):
            yield function, node
        inner = node if isinstance(node, Function) else function
        waiting += [(inner, child) for child in ast.iter_child_nodes(node)]


def _passed_on(function: Function, call: ast.Call) -> bool:
    """Tell whether the loader's words, or how many arguments it gets, are the function's own."""
    own = {argument.arg for argument in function.args.args}
    words = {word.id for word in call.args[:2] if isinstance(word, ast.Name)}
    return bool(words & own) or any(_is_rest(function, word) for word in call.args)


def _is_rest(function: Function, word: ast.expr) -> bool:
    rest = function.args.vararg
    return (
        isinstance(word, ast.Starred)
        and isinstance(word.value, ast.Name)
        and rest is not None
        and word.value.id == rest.arg
    )


def _filled_in(function: Function, call: ast.Call, use: ast.Call) -> list[ast.expr] | None:
    """The arguments of the loader's call when the function is called so; None if unknown."""
    names = [argument.arg for argument in function.args.args]
    if names[:1] == ["self"]:
        names = names[1:]
    starred = any(isinstance(word, ast.Starred) for word in use.args)
    if use.keywords or starred or len(use.args) < len(names):
        return None
    given = dict(zip(names, use.args, strict=False))
    found: list[ast.expr] = []
    for word in call.args:
        if _is_rest(function, word):
            found += use.args[len(names) :]
        else:
            found.append(given.get(word.id, word) if isinstance(word, ast.Name) else word)
    return found


def _complete(
    where: str, loader: str, arguments: list[ast.expr], keywords: list[ast.keyword]
) -> Call | None:
    words = [
        word.value
        for word in arguments[:2]
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    ]
    if len(words) < 2 or any(isinstance(word, ast.Starred) for word in arguments):
        return None
    return Call(where, loader, words[0].split(), words[1], len(arguments) - 2, bool(keywords))


def main() -> int:
    faults = Firmware().faults()
    for fault in faults:
        print(f"firmware/muster/{fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""micropython-esp32-stubs as a second witness: names, values of constants, and signatures.

omissions.toml lists the names that the emulated board leaves out, each with its reason.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from muster_harness.errors import HarnessError

HERE = Path(__file__).parent
SHIMS = HERE.parent / "esp32" / "shims"
STUBS = HERE.parents[2] / ".venv" / "micropython-stubs"
MODULES = (
    "_espnow",
    "aioespnow",
    "apa106",
    "bluetooth",
    "btree",
    "errno",
    "esp",
    "esp32",
    "espnow",
    "inisetup",
    "machine",
    "neopixel",
    "network",
    "ntptime",
    "select",
    "socket",
    "time",
    "tls",
)
# a built-in of the same name would be found first
_FILES = {
    "_espnow": "esp_now.py",
    "bluetooth": "ble.py",
    "btree": "b_tree.py",
    "errno": "newlib_errno.py",
    "tls": "dated_tls.py",
}
# Shims that a module takes classes from when a program asks for one.
_LENT = {
    "machine": ("bus", "adc", "pwm", "analogue", "counters", "i2s", "sd_card"),
    "network": ("lan",),
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Omissions:
    """Names such as "machine.ADC" or "machine.Pin.irq(hard)", and why each is left out."""

    reasons: dict[str, str]

    def covers(self, name: str) -> bool:
        """Tell whether the name, or anything that it is a part of, is left out."""
        plain = name.partition("(")[0].split(".")
        parts = {".".join(plain[: n + 1]) for n in range(len(plain))}
        return not self.reasons.keys().isdisjoint(parts | {name})


def read_omissions(chip: str = "esp32", *, of_real_boards: bool = False) -> Omissions:
    """Read the names that the emulated board leaves out.

    With `of_real_boards`, read only the names that no board with that chip has: the stubs describe
    a plain ESP32. Raises HarnessError for a name that stands there twice or without a reason.
    """
    path = HERE / "omissions.toml"
    reasons: dict[str, str] = {}
    for entry in tomllib.loads(path.read_text())["omission"]:
        of_others = entry.get("chips")
        if of_others is not None:
            if chip in of_others.split():
                continue
        elif of_real_boards and not entry.get("on_no_board", False):
            continue
        for name in entry["names"].split():
            full = f"{entry['module']}.{name}"
            if of_others is not None:
                reasons.setdefault(full, entry["reason"])
                continue
            if full in reasons or not entry["reason"]:
                raise HarnessError(f"{path.name}: {full} stands there twice, or without a reason")
            reasons[full] = entry["reason"]
    return Omissions(reasons)


def stub_path(module: str, stubs: Path = STUBS) -> Path:
    """Return the stub of a module. Raises HarnessError if there is none."""
    for path in (stubs / f"{module}.pyi", stubs / "stdlib" / f"{module}.pyi"):
        if path.exists():
            return path
    raise HarnessError(f"no stub of {module} in {stubs}; run `make install`")


def constants(module: str, stubs: Path = STUBS) -> dict[str, int]:
    """Return the integers that a stub defines, e.g. of `NAME: Final[int] = 7`; in classes as
    "Pin.IN"."""
    found = {}
    for prefix, node in _members(ast.parse(stub_path(module, stubs).read_text()).body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            value = node.value
            if isinstance(value, ast.Constant) and type(value.value) is int:
                found[prefix + node.target.id] = value.value
    return found


def callables(module: str, stubs: Path = STUBS) -> set[str]:
    """Return the public functions, classes and methods of a stub, e.g. "Pin" and "Pin.value"."""
    return {
        name
        for name, node in _callables(ast.parse(stub_path(module, stubs).read_text()).body)
        if not any(part.startswith("_") for part in name.split("."))
    }


def _members(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        yield "", node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                yield f"{node.name}.", member


def _callables(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for prefix, node in _members(body):
        if isinstance(node, _Function | ast.ClassDef):
            yield prefix + node.name, node


# -- signatures: read in the shims' sources, since MicroPython cannot tell them


def signature_differences(module: str, shims: Path = SHIMS, stubs: Path = STUBS) -> list[str]:
    """Return the calls that a stub allows and a shim does not take, e.g.
    "machine.Pin.irq(hard)"."""
    ours = _shim_functions(_source(module, shims), shims)
    for file in _LENT.get(module, ()):  # which bring their classes when one is asked for
        ours |= _shim_functions(_source(file, shims), shims)
    found = []
    for name, node in _callables(ast.parse(stub_path(module, stubs).read_text()).body):
        if isinstance(node, _Function) and name in ours:
            is_method = "." in name and not _is_static(node)
            for part in _refused(node.args, ours[name].args, is_method, _is_static(ours[name])):
                found.append(f"{module}.{name.removesuffix('.__init__')}({part})")
    return sorted(set(found))


def _source(name: str, shims: Path) -> Path:
    """Return the file of a shim, which may be one that is loaded when it is first imported."""
    at_once = shims / _FILES.get(name, f"{name}.py")
    return at_once if at_once.exists() else shims / "later" / at_once.name


def _is_static(node: _Function) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)


def _shim_functions(path: Path, shims: Path) -> dict[str, _Function]:
    body = ast.parse(path.read_text()).body
    found = {n: node for n, node in _callables(body) if isinstance(node, _Function)}
    for node in body:
        # `from pin import Pin` brings a class of another shim along
        if (
            isinstance(node, ast.ImportFrom)
            and (other := _source(str(node.module), shims)).exists()
        ):
            names = tuple(f"{alias.name}." for alias in node.names)
            more = _shim_functions(other, shims)
            found.update({n: f for n, f in more.items() if n.startswith(names)})
    return found


def _refused(
    wanted: ast.arguments, ours: ast.arguments, is_method: bool, ours_is_static: bool
) -> Iterator[str]:
    if wanted.vararg and wanted.kwarg:
        return  # the stub knows nothing either
    positional = [*wanted.posonlyargs, *wanted.args][1 if is_method else 0 :]
    here = [*ours.posonlyargs, *ours.args][1 if is_method and not ours_is_static else 0 :]
    needed = len(here) - len(ours.defaults)
    if needed > len(positional) - len(wanted.defaults):
        yield f"requires_{here[needed - 1].arg}"
    if ours.vararg is None and len(here) < len(positional):
        yield positional[len(here)].arg
    if ours.kwarg is None:
        names = {argument.arg for argument in (*ours.args, *ours.kwonlyargs)}
        yield from (a.arg for a in wanted.kwonlyargs if a.arg not in names)


# -- on a board

# Defines report(module, names, numbers): prints a line for each name that is missing, and for each
# constant of another value.
ON_BOARD = """
def report(module, names, numbers):
    def look(name):
        found = __import__(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found
    for name in names:
        try:
            look(name)
        except AttributeError:
            print("%s.%s is missing" % (module, name))
    for name, number in numbers:
        try:
            found = look(name)
        except AttributeError:
            print("%s.%s is missing" % (module, name))
            continue
        if found != number:
            print("%s.%s is %r, not %r" % (module, name, found, number))
"""


def questions(module: str, omissions: Omissions, stubs: Path = STUBS) -> str:
    """Write a program that calls report() for every name of a stub that is not left out."""
    names = sorted(
        name
        for name in callables(module, stubs)
        if not omissions.covers(f"{module}.{name}") and not name.endswith(".__init__")
    )
    numbers = sorted(
        (name, number)
        for name, number in constants(module, stubs).items()
        if not omissions.covers(f"{module}.{name}")
    )
    return f"report({module!r}, {names!r}, {numbers!r})"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every name in micropython-esp32-stubs: whether the emulated board has it, or why it has not.

`python -m muster_harness.contract.surface` prints what docs/esp32-names.md holds.
"""

import sys
import tempfile
import textwrap
from pathlib import Path

from muster_harness.contract.oracle import (
    STUBS,
    Omissions,
    callables,
    constants,
    read_omissions,
)
from muster_harness.units.emulated import EmulatedBoard

_HEAD = """\
# Names of an ESP32, and of the emulated board

Made by `python -m muster_harness.contract.surface`; a test holds it fresh. The names are those of
micropython-esp32-stubs: functions, classes, methods and numbers of every module. What is not here
stands below, with the reason. The stubs name a few that no ESP32 has: other ports', and aids for
editors.

| module | names | here |
|---|---|---|
"""
_LOOK = """
import builtins, sys
begun = {}
def ask_nobody(*prompt):
    begun.update(sys.modules)
    raise ImportError
builtins.input = ask_nobody
def load(module):  # it may print; webrepl_setup asks a person
    try:
        __import__(module)
    except ImportError:
        if module in begun:
            sys.modules[module] = begun[module]
def look(module, names):
    missing = []
    try:
        found = __import__(module)
    except ImportError:
        return None
    for name in names:
        at = found
        try:
            for part in name.split("."):
                at = getattr(at, part)
        except AttributeError:
            missing.append(name)
    return missing
"""


def modules(stubs: Path = STUBS) -> list[str]:
    """All that a program can import, each once: `utime` is `time`."""
    names = {path.stem for path in stubs.glob("*.pyi")} - {"__builtins__"}
    return sorted(
        name
        for name in names
        if not (name.startswith("u") and ((stubs / f"{name[1:]}.pyi").exists() or name in _OLD))
        and name != "uasyncio"
    )


_OLD = {"uarray", "ucollections", "uio", "ujson", "uos", "ure", "ussl", "ustruct", "usys", "uzlib"}


def names_of(module: str) -> list[str]:
    found = callables(module) | set(constants(module))
    return sorted(name for name in found if not name.endswith(".__init__"))


def survey() -> tuple[str, list[str]]:
    """The document, and a sentence for each name that is missing without a reason."""
    omissions = read_omissions()
    on_no_board = read_omissions(of_real_boards=True)
    rows, absent, surprises = [], [], []
    total = present = of_none = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        EmulatedBoard(Path(folder) / "board", heap="1M") as board,
    ):
        board.power_on()
        board.expect(rb">>> ")
        board.exec(_LOOK)
        for module in modules():
            names = names_of(module)
            board.exec(f"load({module!r})")
            missing = board.eval(f"look({module!r}, {names!r})")
            if missing is not None and f"{module}.*" in omissions.reasons:
                surprises.append(f"{module} is there, and said to be left out")
            missing = names if missing is None else missing
            rows.append(f"| `{module}` | {len(names)} | {len(names) - len(missing)} |\n")
            total += len(names)
            present += len(names) - len(missing)
            of_none += sum(on_no_board.covers(f"{module}.{name}") for name in missing)
            for reason, left_out in _by_reason(module, missing, omissions).items():
                if reason is None:
                    surprises += [
                        f"{module}.{name} is missing without a reason" for name in left_out
                    ]
                else:
                    absent.append(_absent(module, names, left_out, reason))
    rows.append(f"| all | {total} | {present} ({100 * present // total} %) |\n")
    real = total - of_none
    rows.append(f"| all that an ESP32 has | {real} | {present} ({100 * present // real} %) |\n")
    return _HEAD + "".join(rows) + "\n" + "".join(absent), surprises


def _by_reason(
    module: str, missing: list[str], omissions: Omissions
) -> dict[str | None, list[str]]:
    found: dict[str | None, list[str]] = {}
    whole = omissions.reasons.get(f"{module}.*")
    for name in missing:
        found.setdefault(whole or _reason(f"{module}.{name}", omissions), []).append(name)
    return found


def _reason(full: str, omissions: Omissions) -> str | None:
    """Return the reason given for the name, or for what it is a part of."""
    parts = full.split(".")
    for end in range(len(parts), 1, -1):
        reason = omissions.reasons.get(".".join(parts[:end]))
        if reason is not None:
            return reason
    return None


def _absent(module: str, names: list[str], left_out: list[str], reason: str) -> str:
    if left_out == names:
        return f"- `{module}`, all of it: {reason}.\n"
    heads = sorted({name for name in left_out if name.rpartition(".")[0] not in left_out})
    said = f"- `{module}`: {', '.join(f'`{name}`' for name in heads)}: {reason}."
    return textwrap.fill(said, 150, subsequent_indent="  ", break_on_hyphens=False) + "\n"


if __name__ == "__main__":
    document, lacking = survey()
    print(document, end="")
    sys.exit("\n".join(lacking) or None)

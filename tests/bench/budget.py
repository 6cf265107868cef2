# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The memory budget, budget.toml: what the firmware may take, as it was last agreed.

python -m tests.bench          measures, and compares with it
python -m tests.bench.budget   writes it anew from build/bench.json and the firmware as it is
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muster_harness.air.air import Air
from tests.bench.compiled import compiled
from tests.firmware import interpreters
from tests.firmware.bench_board import ask, board_with_firmware
from tests.firmware.interpreters import ON_BOARD
from tests.flash import make_flash
from tests.programs import Missing

ROOT = Path(__file__).resolve().parents[2]
BUDGET = Path(__file__).with_name("budget.toml")
RESULT = ROOT / "build" / "bench.json"
SECTIONS = ("heap", "mpy", "import_64bit", "import_32bit")
RENEW = "make bench; .venv/bin/python -m tests.bench.budget"

# The noise of a figure: heap is found by bisection in KiB, and its layout is partly luck.
HEAP_ROOM = 3 * 1024
FILE_ROOM = 0.05
FILE_ROOM_BYTES = 32
_TIMEOUT_S = 60

_HEAD = """\
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The memory budget, in bytes. Written by `{renew}`; do not edit.
#
# heap: the smallest heap with which the flow ends, and with which each step of the 1 KiB flow ends
#   (the high-water mark of that step and all before it), on the 64-bit interpreter, less the
#   smallest one with which a board with the same shims and no firmware comes to its prompt.
# mpy: the size of each compiled module; the same for every ESP32.
# import_64bit, import_32bit: what stays on the heap when a module has been imported, with all that
#   it imports itself; interned names left out. Most modules are let go after their step.
"""


def sizes() -> dict[str, int]:
    """Each module's .mpy, in bytes."""
    package = compiled() / "lib" / "muster"
    return {path.stem: path.stat().st_size for path in sorted(package.rglob("*.mpy"))}


def measure() -> dict[str, float]:
    """Sizes and the heap of imports, as `mpy.…`, `import_64bit.…` and `import_32bit.…`."""
    mpy = sizes()
    modules = [name for name in mpy if name != "__init__"]
    found: dict[str, float] = {f"mpy.{name}": size for name, size in mpy.items()}
    found |= {f"import_64bit.{name}": taken for name, taken in _on_64_bit(modules).items()}
    try:
        on_32_bit = _on_32_bit(modules)
    except Missing as reason:
        print(f"budget: no 32-bit figures: {reason}", file=sys.stderr)
    else:
        found |= {f"import_32bit.{name}": taken for name, taken in on_32_bit.items()}
    return found


def _on_64_bit(modules: list[str]) -> dict[str, int]:
    script = (ON_BOARD / "import_figures.py").read_text()
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as made, Air() as air:
        flash = make_flash(Path(made) / "deployed", with_main=False)
        with board_with_firmware(flash, Path(made) / "board", air) as board:
            said = ask(board, "\n".join([script, *_calls(modules)]))
    found: dict[str, int] = json.loads(said)
    return found


def _on_32_bit(modules: list[str]) -> dict[str, int]:
    # It compiles the sources itself, as mpy-cross does for a board: without assertions.
    preparation = "import micropython; micropython.opt_level(2); from import_figures import *"
    run = subprocess.run(
        interpreters.wasm(preparation, *_calls(modules)),
        stdout=subprocess.PIPE,
        text=True,
        timeout=_TIMEOUT_S,
        check=True,
    )
    found: dict[str, int] = json.loads(run.stdout)
    return found


def _calls(modules: list[str]) -> list[str]:
    each = [call for name in modules for call in (f"load({name!r})", f"note({name!r})")]
    return [f"begin({modules!r})", *each, "tell()"]


def read() -> dict[str, dict[str, int]]:
    """The budget by section and name."""
    return tomllib.loads(BUDGET.read_text())


def noise(section: str, value: float) -> float:
    """By how much a figure of that section differs from one run to the next, in bytes."""
    if section == "mpy":
        return max(value * FILE_ROOM, FILE_ROOM_BYTES)
    return HEAP_ROOM


@dataclass
class Comparison:
    """The figures that are not as agreed, one line each, for people."""

    worse: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # new, gone, or not to be measured here

    def add(self, name: str, now: float, then: float, tolerance: float) -> None:
        by = abs(now - then)
        if now > then + tolerance:
            self.worse.append(
                f"{name} is {now:g}, {by:g} over its budget of {then:g} (noise: {tolerance:g}):"
                f" make it smaller or, if it is meant: {RENEW}"
            )
        elif now < then - tolerance:
            self.better.append(f"{name} is {now:g}, {by:g} below its budget of {then:g}")


def compare(found: dict[str, float], sections: tuple[str, ...]) -> Comparison:
    """Compare the measured figures with what those sections of the budget say."""
    told = Comparison()
    budget = read()
    for section in sections:
        measured = _section(found, section)
        if not measured:
            told.other.append(f"{section} could not be measured here")
            continue
        for name in sorted(measured.keys() | budget[section].keys()):
            now, then = measured.get(name), budget[section].get(name)
            if now is None or then is None:
                told.other.append(f"{section}.{name} is {'new' if then is None else 'gone'}")
            else:
                told.add(f"{section}.{name}", now, then, noise(section, then))
    return told


def _section(found: dict[str, float], section: str) -> dict[str, float]:
    if section == "heap":
        return {name: value for name, value in found.items() if "heap_" in name}
    prefix = section + "."
    return {name[len(prefix) :]: value for name, value in found.items() if name.startswith(prefix)}


def written(found: dict[str, float]) -> str:
    """The budget file's text."""
    parts = [_HEAD.format(renew=RENEW)]
    for section in SECTIONS:
        lines = sorted(_section(found, section).items())
        quoted = [f"{json.dumps(name)} = {int(value)}" for name, value in lines]
        parts.append("\n".join([f"[{section}]", *quoted]) + "\n")
    return "\n".join(parts)


def main() -> int:
    if not RESULT.exists():
        print(f"no {RESULT.relative_to(ROOT)} with heap figures; first: make bench")
        return 1
    found: dict[str, Any] = json.loads(RESULT.read_text())
    BUDGET.write_text(written(found | measure()))
    print(f"written to {BUDGET.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs on_board/test_*.py on MicroPython itself, one pytest item for each function there.

The files that only compute run on the 32-bit interpreter too: small integers have 31 bits there,
as on an ESP32.
"""

import ast
import functools
import re
import subprocess
from dataclasses import dataclass

import pytest

from tests.firmware import interpreters
from tests.firmware.interpreters import ON_BOARD, PROJECT

ON_32_BIT = (
    "test_bundle",
    "test_chacha",
    "test_hkdf",
    "test_noise",
    "test_receipt",
    "test_x25519",
)
# The published 32-bit interpreter has no cryptolib: what decrypts is tested on the other one.
NEED_AES = {
    ("test_bundle", "test_rfc7518_b1_plaintext"),
    ("test_bundle", "test_golden_bundles_are_judged_as_written"),
    ("test_bundle", "test_an_error_never_repeats_the_content"),
}
FILE_TIMEOUT_S = 100
_LINE = re.compile(r"^(ok|FAIL|skip) (test_\w+) ?(.*)$")


@dataclass(frozen=True)
class Outcome:
    """The runner's words about one function: "ok", "FAIL" or "skip", and the lines after."""

    word: str
    text: str


def functions() -> list[tuple[str, str, str]]:
    """Interpreter, file and function of every test, without importing any."""
    found = []
    for path in sorted(ON_BOARD.glob("test_*.py")):
        names = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
        ]
        found += [("64-bit", path.stem, name) for name in names]
        if path.stem in ON_32_BIT:
            for name in names:
                if (path.stem, name) not in NEED_AES:
                    found.append(("32-bit", path.stem, name))
    return found


def command(interpreter: str, file: str) -> list[str]:
    """Return the command that runs one file."""
    if interpreter == "32-bit":
        return interpreters.wasm(f"import runner; runner.run({file!r})")
    return [*interpreters.unix(), str(ON_BOARD / "runner.py"), file]


@functools.cache
def outcomes(interpreter: str, file: str) -> tuple[dict[str, Outcome], str]:
    """Runs one file once in a session; its outcomes by function, and all that it printed."""
    run = subprocess.run(
        command(interpreter, file),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=FILE_TIMEOUT_S,
    )
    found: dict[str, Outcome] = {}
    last = ""
    for line in run.stdout.splitlines():
        match = _LINE.match(line)
        if match:
            last = match[2]
            found[last] = Outcome(match[1], match[3])
        elif last and found[last].word == "FAIL":
            found[last] = Outcome("FAIL", found[last].text + line + "\n")
    return found, run.stdout


@pytest.mark.parametrize(("interpreter", "file", "function"), functions())
def test_on_board(
    interpreter: str, file: str, function: str, muster_figures: dict[str, str]
) -> None:
    found, output = outcomes(interpreter, file)
    outcome = found.get(function)
    assert outcome, f"{file}.{function} was never reached; the interpreter printed:\n{output}"
    for line in output.splitlines():
        if line.startswith("figure "):
            muster_figures[line.split()[1]] = line.split()[2]
    assert outcome.word == "ok", f"on the {interpreter} interpreter:\n{outcome.text}"

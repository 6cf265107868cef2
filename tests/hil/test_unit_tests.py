# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The firmware's own unit tests, on the board itself."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from muster_harness.compiler import compile_mpy
from muster_harness.deploy.sending import put_files
from muster_harness.units.unit import Unit
from muster_harness.wire.probe import probe
from tests.flash import ROOT

_ON_BOARD = ROOT / "tests" / "firmware" / "on_board"
_PACKAGE = ROOT / "firmware" / "muster"
_THERE = "/hil/tests/firmware/on_board"
# Golden messages are read whole: so much of the heap may a file of them take.
_SHARE_OF_HEAP = 64
_LEAST = 4096
_LINE_S = 120  # until the next line of output
_FILE_S = 900

_REMOVE = """\
import os
def remove(path):
    if os.stat(path)[0] & 0x4000:
        for name in os.listdir(path):
            remove(path + "/" + name)
        os.rmdir(path)
    else:
        os.remove(path)
try:
    remove("/hil")
except OSError:
    pass
"""
_MARK = "/hil/digest"
_WHICH = f"""\
try:
    print(open({_MARK!r}).read())
except OSError:
    pass
"""
_RUN = """\
import sys
sys.path[:0] = [{there!r}, "/hil/lib"]
import runner
runner.run({name!r})
"""


def files() -> list[str]:
    """Return the tests that only compute: the others want servers beside them, on a network of
    their own."""
    return sorted(
        path.stem
        for path in _ON_BOARD.glob("test_*.py")
        if "import socket" not in path.read_text()
    )


@pytest.fixture
def unit_with_tests(hil_unit: Unit, tmp_path: Path) -> tuple[Unit, str]:
    """A unit that has the firmware and its tests; and what was cut out of the golden messages to
    fit. They stay for the next test: sending them takes a real board half a minute."""
    with hil_unit.repl(soft_reset=True) as repl:
        there, cuts = _lay_out(tmp_path, max(probe(repl).heap_free // _SHARE_OF_HEAP, _LEAST))
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in there.values()))
        if repl.exec(_WHICH).strip() != digest.hexdigest():
            repl.exec(_REMOVE)
            mark = tmp_path / "digest"
            mark.write_text(digest.hexdigest())
            put_files(repl, there | {_MARK: mark})
    return hil_unit, cuts


def _lay_out(made: Path, most: int) -> tuple[dict[str, Path], str]:
    there: dict[str, Path] = {}
    cuts = []
    for source in sorted(_ON_BOARD.glob("*.py")):
        if source.stem not in ("missing", "crypto_figures", "http_peer", "noise_peer"):
            target = made / f"{source.stem}.mpy"
            compile_mpy(source, target, source.name)
            there[f"{_THERE}/{target.name}"] = target
    # With whole names, which some tests look for; a deployment makes private ones short.
    for source in sorted(_PACKAGE.glob("*.py")):
        target = made / f"muster-{source.stem}.mpy"
        compile_mpy(source, target, source.stem, optimise=2)
        there[f"/hil/lib/muster/{source.stem}.mpy"] = target
    for source in [*(ROOT / "tests" / "wire").glob("*.json"), *_ON_BOARD.glob("*.json")]:
        target = made / source.name
        text, kept = _cut(json.loads(source.read_text()), most)
        target.write_text(text)
        there[f"/hil/{source.relative_to(ROOT)}"] = target
        cuts.append(f"{source.name}: {kept}")
    return there, "; ".join(cuts)


def _cut(document: dict[str, Any], most: int) -> tuple[str, str]:
    """The document with as many of its cases as fit, smallest first; and how many those are."""
    cases = sorted(document.get("cases", []), key=lambda case: len(json.dumps(case)))
    kept: list[Any] = []
    size = 0
    for case in cases:
        size += len(json.dumps(case))
        if kept and size > most:
            break
        kept.append(case)
    text = json.dumps(document | ({"cases": kept} if cases else {}), separators=(",", ":"))
    return text, f"{len(kept)} of {len(cases)} cases"


@pytest.mark.parametrize("name", files())
def test_on_the_board(name: str, unit_with_tests: tuple[Unit, str]) -> None:
    unit, cuts = unit_with_tests
    with unit.repl(soft_reset=True) as repl:
        said = repl.exec(_RUN.format(there=_THERE, name=name), _LINE_S, _FILE_S)
    print(cuts)  # shown if the test fails
    outcomes = re.findall(r"^(ok|FAIL|skip) test_\w+", said, re.MULTILINE)
    assert outcomes, f"no test ran; the board said:\n{said}"
    assert "FAIL" not in outcomes, said


def test_the_tests_are_taken_off_the_board(hil_unit: Unit) -> None:
    with hil_unit.repl(soft_reset=True) as repl:
        repl.exec(_REMOVE)
    assert "hil" not in hil_unit.list_files("/")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do marks say what ran, and leave the program and its line numbers as they were?"""

import ast
import struct
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from muster_harness.compiler import compile_mpy
from muster_harness.coverage.marking import CALL, marked

NAME, FILE = "_hil12345678", "firmware.py"
FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
PROGRAM = '''\
"""What it is."""
class First:
    def method(self): return 1
    def other(self):
        pass

    limit = 3
    # A remark.
    @staticmethod
    def third(n, *, m=2):
        """Says what."""
        if n > m:
            return n
        elif n == m:
            return -n
        else: n = 0
        return n


def loops(things):
    for thing in things:
        for i in range(3):
            if i == 1: continue
            if i == 2:
                break
        else:
            never = 1
        while thing:
            thing -= 1
    for a, b in (1, 2), (3, 4):
        pass
    for n in range(
        2,
        4,
    ):
        if (n
                == 3):
            return n
    return None
def failing(kind):
    try:
        if kind:
            raise kind("x")
        print("fine")
    except (ValueError, TypeError) as e:
        return e
    except KeyError:
        count = 0
        count = 1
        raise
    else:
        return "none"
    finally:
        done = True
def nothing(): pass

import io; import sys
total = 0
with io.StringIO() as f, io.StringIO() as g:
    f.write("a")
def deep():
    global total
    total = loops([1]); total += 1
    text = """
def no_code():
    pass
"""
    def inner():
        nonlocal text
        yield text
        yield 2
    return list(inner()) if (x := total) else x
if total: print("no")
while total < 2: total += 1
deep()
First.third(1); First.third(2); First.third(3)
First().other()
failing(None)
failing(ValueError)
try:
    failing(KeyError)
except KeyError: total += 1
try:
    1 / 0
    total = 9
except ZeroDivisionError:
    total += 1
async def later():
    async with nowhere as x:
        pass
    async for n in nowhere: await n
'''


def ran_as_told(text: str) -> set[int]:
    """The lines that CPython says it runs."""
    lines = set()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != FILE:
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    code = compile(text, FILE, "exec")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        exec(code, {})  # noqa: S102 (the program stands above)
    finally:
        sys.settrace(before)
    return lines


def ran_as_marked(text: bytes, lines: dict[int, int], size: int) -> set[int]:
    array = bytearray(size)
    names: dict[str, Any] = {"__builtins__": {**vars(__import__("builtins"))}}
    names["__builtins__"].update({NAME: array, CALL: struct.pack_into})
    exec(compile(text, FILE, "exec"), names)  # noqa: S102
    return {line for line, mark in lines.items() if array[mark]}


def test_what_is_marked_is_what_ran() -> None:
    made = marked(PROGRAM.encode(), NAME)
    told = ran_as_told(PROGRAM)
    seen = ran_as_marked(made.text, made.lines, made.marks)
    statements = {n.lineno for n in ast.walk(ast.parse(PROGRAM)) if isinstance(n, ast.stmt)}
    # CPython also counts `except`, where the marks say whether it caught; a definition in its
    # class, and lines that are no statements.
    caught = {n.lineno for n in ast.walk(ast.parse(PROGRAM)) if isinstance(n, ast.ExceptHandler)}
    compared = (statements & set(made.lines)) - caught
    assert seen & compared == told & compared
    unwatched = statements - set(made.lines)
    rows = PROGRAM.splitlines()
    shown = {rows[line - 1].strip() for line in unwatched}
    assert shown == {'"""What it is."""', '"""Says what."""', "global total", "nonlocal text"}


def test_lines_keep_their_numbers_in_a_traceback() -> None:
    made = marked(PROGRAM.encode(), NAME)

    def where(text: bytes | str) -> list[int | None]:
        names: dict[str, Any] = {NAME: bytearray(made.marks), CALL: struct.pack_into}
        exec(compile(text, FILE, "exec"), names)  # noqa: S102
        try:
            names["failing"](KeyError)
        except KeyError as e:
            return [frame.lineno for frame in traceback.extract_tb(e.__traceback__)]
        return []

    assert where(made.text)[1:] == where(PROGRAM)[1:] != []


def test_a_loop_over_a_range_stays_one_that_is_compiled_to_a_loop() -> None:
    made = marked(b"def f(n):\n    for i in range(n):\n        print(i)\n", NAME).text
    assert b"in range(_hil_mark(" in made


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (b"def f(:\n", {}),
        (b"print 'x'\n", {}),
        (b"", {}),
        (b"x = 1 \\\n\nif x:\n    y = 2\n", {1: 0, 3: 0, 4: 1}),
        (b"if 1:\r\n\tx = 2\r\n\r\n\tif x: pass\r\n", {1: 0, 2: 1, 4: 1}),
        (b"@micropython.viper\ndef f(x: int):\n    return x\nx = 1\n", {2: 0, 4: 0}),
    ],
)
def test_odd_sources_run_as_they_are(text: bytes, lines: dict[int, int]) -> None:
    made = marked(text, NAME)
    assert made.lines == lines
    if not lines:
        assert made.text == text


def every_source() -> list[Path]:
    return sorted(FIRMWARE.rglob("*.py"))


def test_the_sources_of_a_whole_firmware_are_watched(tmp_path: Path) -> None:
    shares = {}
    for path in every_source():
        text = path.read_bytes()
        made = marked(text, NAME)
        statements = {
            n.lineno
            for n in ast.walk(ast.parse(text))
            if isinstance(n, ast.stmt) and not isinstance(n, ast.Global)
        }
        compile_mpy(path, tmp_path / "any.mpy", path.stem, text=made.text)
        assert len(text.splitlines()) + 1 >= len(made.text.splitlines())
        if statements:
            shares[path.name] = len(statements & set(made.lines)) / len(statements)
    assert len(shares) > 20
    assert min(shares.values()) > 0.9, shares

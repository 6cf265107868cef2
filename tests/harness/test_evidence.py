# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do `--hil-cov` and `--hil-heap-chart` say to a project that knows nothing of this one?"""

import os
import re
import signal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pycobertura import Cobertura

from muster_harness.coverage.sources import Coverage
from muster_harness.esp32.evidence import Evidence
from muster_harness.units.emulated import EmulatedBoard

pytest_plugins = ["pytester"]

MAIN = """\
import bell
import sys

def never():
    return 1

if "again" in sys.modules:
    never()
print("waiting")
"""
BELL = """\
def ring(count):
    if count == 1:
        return "once"
    if count == 2:
        return "twice"
    raise ValueError(count)
"""
TESTS = """
import pathlib
import pytest

def test_once(hil_unit):
    hil_unit.reset()
    hil_unit.expect("waiting")
    assert hil_unit.read_file("/main.py") == pathlib.Path("firmware/main.py").read_bytes()
    assert hil_unit.eval("bell.ring(1)") == "once"
    hil_unit.exec("import io; assert io.open('/main.py').readline() == 'import bell\\\\n'")

@pytest.mark.hil_units(2)
def test_twice(hil_units):
    for unit in hil_units:
        unit.exec("import bell")
        assert unit.eval("bell.ring(2)") == "twice"

def test_what_a_test_writes_is_none_of_the_firmware(hil_unit):
    hil_unit.write_file("/other.py", "x = 1\\n")
    hil_unit.exec("import other")
    assert hil_unit.eval("dir(other)[-1]") == "x"
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    folder = pytester.mkdir("firmware")
    (folder / "main.py").write_text(MAIN)
    (folder / "bell.py").write_text(BELL)
    pytester.makeini("[pytest]\nhil_firmware = firmware\nhil_board = emulated\n")
    return pytester


def test_all_boards_and_resets_of_a_run_are_one_coverage(project: pytest.Pytester) -> None:
    project.makepyfile(TESTS)
    done = project.runpytest("--hil-cov", "-p", "no:randomly")
    done.assert_outcomes(passed=3)
    done.stdout.re_match_lines(
        [r"firmware/bell.py +6 +1 +83 %  6", r"firmware/main.py +7 +2 +71 %  5, 8", r"all +13 "]
    )
    read = Cobertura(str(project.path / "hil-logs/coverage.xml"))
    assert read.missed_statements("firmware/bell.py") == [6]
    lcov = (project.path / "hil-logs/coverage.lcov").read_text()
    assert "SF:firmware/bell.py\nDA:1,3\nDA:2,3\nDA:3,1\n" in lcov


def test_without_a_folder_of_sources_it_says_what_is_missing(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nhil_board = emulated\n")
    done = project.runpytest("--hil-cov")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--hil-cov needs the folder of the firmware's sources*"])


def test_a_test_that_fails_names_its_pictures(project: pytest.Pytester) -> None:
    project.makepyfile(
        "def test_waits(hil_unit):\n"
        "    hil_unit.exec('import time; time.sleep_ms(30)')\n"
        "    hil_unit.reset(); hil_unit.expect('waiting')\n"
        "    hil_unit.exec('import time; time.sleep_ms(30)')\n"
        "    assert False\n"
    )
    done = project.runpytest("--hil-cov", "--hil-heap-chart")
    done.assert_outcomes(failed=1)
    (chart,) = (project.path / "hil-logs").glob("*.heap.svg")
    done.stdout.fnmatch_lines(
        [
            "whole log: *test_waits.log",
            f"heap over time, for a browser: {chart}",
            "lines that ran, at the end of the run: */hil-logs/coverage.xml",
        ]
    )
    drawn = ElementTree.parse(chart).getroot()  # noqa: S314 (of our own making)
    kinds = [part.get("class") for part in drawn.iter() if part.get("class")]
    assert kinds.count("used") >= 1
    assert "power on" in [part.text for part in drawn.iter()]


@pytest.fixture
def coverage(tmp_path: Path) -> Coverage:
    for name, text in {"main": MAIN, "bell": BELL}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "marked").mkdir()
    return Coverage(sorted(tmp_path.glob("*.py")), tmp_path / "marked")


def ran(coverage: Coverage, name: str) -> dict[int, int]:
    return next(file.hits for file in coverage.files() if file.path.stem == name)


def test_what_ran_survives_resets_power_cuts_and_the_death_of_the_interpreter(
    tmp_path: Path, coverage: Coverage
) -> None:
    with EmulatedBoard(tmp_path / "board", evidence=Evidence(coverage)) as board:
        board.power_on()
        board.write_file("/bell.py", BELL.encode())
        for count, end in enumerate(("soft", "hard", "off", "reset()", "exit", "crash"), 1):
            board.exec("import bell")
            board.eval("bell.ring(1)")
            board.exec("import time; time.sleep_ms(300)")  # a crash loses what ran just before
            board.forget_output()
            if end in ("soft", "hard"):
                board.reset(end)  # type: ignore[arg-type]
            elif end == "off":
                board.power_off()
                board.power_on()
            elif end == "crash":
                child = board._supervisor.child
                assert child is not None
                os.kill(child.pid, signal.SIGSEGV)
            else:
                words = {"reset()": "import machine; machine.reset()", "exit": "raise SystemExit"}
                board.write(b"\r" + words[end].encode() + b"\r")
            board.expect(rb"MicroPython v.*>>> ", timeout_s=20)
            assert ran(coverage, "bell")[3] == count, end


def test_a_source_that_just_fits_a_heap_fits_with_its_marks(tmp_path: Path) -> None:
    text = "".join(f"def f{n}(a):\n    b = a + {n}\n    return b * 2\n" for n in range(350))
    (tmp_path / "large.py").write_text(text)
    (tmp_path / "marked").mkdir()
    watched = Evidence(Coverage([tmp_path / "large.py"], tmp_path / "marked"))
    assert watched.heap("1M") == "1536K"
    with EmulatedBoard(tmp_path / "board", heap="320K", evidence=watched) as board:
        board.power_on()
        board.write_file("/large.py", text.encode())
        board.exec("import large; large.f7(1)")
    assert watched.coverage is not None
    assert len(ran(watched.coverage, "large")) == 3 * 350


def test_a_traceback_has_the_lines_of_the_source(tmp_path: Path, coverage: Coverage) -> None:
    with EmulatedBoard(tmp_path / "board", evidence=Evidence(coverage)) as board:
        board.power_on()
        board.write_file("/bell.py", BELL.encode())
        board.write_file("/main.py", b"import bell\n\n\nbell.ring(3)\n")
        board.reset()
        board.expect(
            rb'File "main.py", line 4, in <module>\r\n'
            rb'  File "bell.py", line 6, in ring\r\nValueError: 3'
        )
    assert not re.search(r"_hil", board.log_path.read_text())

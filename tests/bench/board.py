# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure an emulated board: `.venv/bin/python -m tests.bench.board` prints each figure beside its
bar, and fails for one that is over it."""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from muster_harness import REPL, Air, EmulatedBoard

_REPEATS = 5
_BOOTS = 20
_MANY = 16
# The most that is allowed: seconds, or megabytes.
BARS = {
    "board.first_boot_s": 0.02,
    "board.first_boot_cpu_s": 0.02,
    "board.exec_s": 0.004,
    "board.exec_1_mb_s": 1.0,
    "board.trivial_test_s": 0.3,
    "board.sixteen_boards_s": 0.4,
    "board.memory_mb": 12.0,
    "board.look_at_a_socket_s": 0.0005,
    "board.read_per_write": 1.5,  # the time to read a file, in times of writing it
}
_ONE_MB = "for _ in range(1000): print('x' * 999)"
_LOOKS = """
import select, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 8080))
p = select.poll()
p.register(s, select.POLLIN)
begin = time.ticks_us()
for _ in range(1000):
    p.poll(0)
print(time.ticks_diff(time.ticks_us(), begin))
"""
_TEST = "def test_one(hil_unit):\n    assert hil_unit.eval('6 * 7') == 42\n"
_LONGEST_S = 60
_FILE_BYTES = 100_000


def measure() -> dict[str, float]:
    """Each is the quickest of several: the others tell what else the machine does."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as made, Air() as air:
        folder = Path(made)
        boots = [_first_boot(folder, air) for _ in range(_BOOTS)]
        found = {
            "board.first_boot_s": min(took for took, _ in boots),
            "board.first_boot_cpu_s": min(computed for _, computed in boots),
        }
        with EmulatedBoard(folder / "one", air=air) as board:
            board.power_on()
            board.expect(">>> ")
            found |= _files(board)
            with board.repl() as repl:
                found |= _at_the_prompt(repl)
        found["board.trivial_test_s"] = min(_trivial_test(folder) for _ in range(_REPEATS))
        return found | _many(folder, air)


def _timed(do: Callable[[], object]) -> float:
    begin = time.perf_counter()
    do()
    return time.perf_counter() - begin


def _first_boot(folder: Path, air: Air) -> tuple[float, float]:
    """From the power switch to the prompt, with a blank flash that gets its filesystem: how long
    it took, and how much of that both processes computed."""
    with tempfile.TemporaryDirectory(dir=folder) as blank, EmulatedBoard(blank, air=air) as board:
        begin, own = time.perf_counter(), time.process_time()
        board.power_on()
        board.expect(">>> ")
        took, own = time.perf_counter() - begin, time.process_time() - own
        return took, own + sum(map(_computed_s, _children()))


def _files(board: EmulatedBoard) -> dict[str, float]:
    content = os.urandom(_FILE_BYTES)
    writing = min(_timed(lambda: board.write_file("/f", content)) for _ in range(_REPEATS))
    reading = min(_timed(lambda: board.read_file("/f")) for _ in range(_REPEATS))
    return {"board.read_per_write": reading / writing}


def _at_the_prompt(repl: REPL) -> dict[str, float]:
    return {
        "board.exec_s": min(_timed(lambda: repl.exec("6 * 7")) for _ in range(20)),
        "board.exec_1_mb_s": min(_timed(lambda: repl.exec(_ONE_MB)) for _ in range(_REPEATS)),
        "board.look_at_a_socket_s": min(int(repl.exec(_LOOKS)) for _ in range(_REPEATS)) / 1e9,
    }


def _trivial_test(folder: Path) -> float:
    """Making the board, asking it once, and its end, as pytest counts them."""
    (folder / "test_one.py").write_text(_TEST)
    report = folder / "report.xml"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--hil-board=emulated", "test_one.py"]
    subprocess.run(
        [sys.executable, *words, f"--junitxml={report}"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=_LONGEST_S,
    )
    case = ElementTree.parse(report).getroot().find(".//testcase")  # noqa: S314 - its own report
    assert case is not None
    return float(case.attrib["time"])


def _many(folder: Path, air: Air) -> dict[str, float]:
    """Sixteen boards from the power switches to all prompts, and what each takes of memory."""
    times, sizes = [], []
    for attempt in range(_REPEATS):
        with ExitStack() as stack:
            before = _own_mb()
            boards = [
                stack.enter_context(EmulatedBoard(folder / f"{attempt}-{n}", air=air))
                for n in range(_MANY)
            ]
            times.append(_timed(lambda boards=boards: _start(boards)))  # type: ignore[misc]
            sizes.append((_own_mb() - before + sum(map(_proportional_mb, _children()))) / _MANY)
    return {"board.sixteen_boards_s": min(times), "board.memory_mb": min(sizes)}


def _start(boards: list[EmulatedBoard]) -> None:
    for board in boards:
        board.power_on()
    for board in boards:
        board.expect(">>> ", timeout_s=_LONGEST_S)


def _own_mb() -> float:
    return _proportional_mb(os.getpid())


def _children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def _computed_s(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _proportional_mb(pid: int) -> float:
    """Return the memory of a process, with its share of what it shares with others (PSS)."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024


def main() -> int:
    found = measure()
    for name, value in found.items():
        is_over = value > BARS[name]
        print(f"{name:26} {value:>10.5f}  bar {BARS[name]:>8}{'  WORSE' * is_over}")
    return int(any(value > BARS[name] for name, value in found.items()))


if __name__ == "__main__":
    sys.exit(main())

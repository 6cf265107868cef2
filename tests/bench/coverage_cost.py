# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The price of `--hil-cov` in time: `python -m tests.bench.coverage_cost`.

Measured are the tests of harness/examples/doorbell, by turns with and without, and programs that
do nothing but compute, which no test of Wi-Fi firmware does: the worst case.
"""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from muster_harness.coverage.sources import Coverage
from muster_harness.esp32.evidence import NOTHING_MORE, Evidence
from muster_harness.units.emulated import EmulatedBoard

DOORBELL = Path(__file__).resolve().parents[2] / "harness/examples/doorbell"
_TURNS = 3
_PROGRAMS = {
    "parse": """
def work():
    for _ in range(2000):
        fields = {}
        for part in "a=1;b=22;c=333;d=4444".split(";"):
            name, value = part.split("=")
            fields[name] = int(value)
            if fields[name] > 1000:
                fields[name] = 1000
""",
    "crc": """
def work():
    crc = 0xFFFF
    for n in range(10000):
        crc ^= n & 0xFF
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
""",
    "objects": """
class Filter:
    def __init__(self):
        self.mean = 0.0

    def feed(self, value):
        self.mean += (value - self.mean) * 0.1
        return self.mean


def work():
    one = Filter()
    for n in range(20000):
        one.feed(n)
""",
}


def doorbell_s(*options: str) -> float:
    """Return how long pytest takes for the doorbell's tests, three times each, in seconds."""
    with tempfile.TemporaryDirectory() as logs:
        begin = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "--hil-repeat=3", f"--hil-log-dir={logs}"]
        command += ["-p", "no:cacheprovider", *options]
        subprocess.run(command, cwd=DOORBELL, check=True, capture_output=True, timeout=300)
        return time.monotonic() - begin


@contextlib.contextmanager
def boards(folder: Path) -> Iterator[tuple[EmulatedBoard, EmulatedBoard]]:
    """Give a board that is not watched, and one that is, with the programs on both."""
    (folder / "marked").mkdir()
    for name, text in _PROGRAMS.items():
        (folder / f"{name}.py").write_text(text)
    sources = sorted(folder.glob("*.py"))
    wanted = Evidence(Coverage(sources, folder / "marked"))
    with (
        EmulatedBoard(folder / "plain", evidence=NOTHING_MORE) as plain,
        EmulatedBoard(folder / "watched", evidence=wanted) as watched,
    ):
        for board in (plain, watched):
            board.power_on()
            for source in sources:
                board.write_file(f"/{source.name}", source.read_bytes())
        yield plain, watched


def work_ms(board: EmulatedBoard, program: str) -> float:
    code = f"import {program}, time; begin = time.ticks_us(); {program}.work()"
    took = board.exec(f"{code}; print(time.ticks_diff(time.ticks_us(), begin))")
    return int(took) / 1000


def main() -> None:
    pairs = [(doorbell_s(), doorbell_s("--hil-cov")) for _ in range(_TURNS)]
    plain, watched = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"doorbell   {plain:7.2f} s   {watched:7.2f} s   {watched / plain - 1:+.0%}")
    with tempfile.TemporaryDirectory() as folder, boards(Path(folder)) as both:
        for program in _PROGRAMS:
            plain, watched = (min(work_ms(b, program) for _ in range(15)) for b in both)
            print(f"{program:10} {plain:7.1f} ms  {watched:7.1f} ms  {watched / plain - 1:+.0%}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make test`: the whole suite in parts, two at a time for each core.

Boards, radios and servers wait about as much as they compute, so four parts share two cores.
Each gathers its own output, in build/test-<part>.txt, and searches it for its own secrets at its
end. `make test PART=servers,contract` runs these, `PART=help` lists them. For a single test there
is pytest itself: `.venv/bin/python -m pytest tests/system -k nine`.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests import surroundings
from tests.parts import PARTS, ROOT, UnknownPart, command, described, named
from tests.programs import __main__ as programs

BUILD = ROOT / "build"
_AT_ONCE = 2 * (os.cpu_count() or 2)
_LIMIT_S = 3600
_PART_LIMIT_S = 1800  # so that one that hangs is told while the others' outcome is still to come
_LOOK_S = 0.5
_WIDTH = max(map(len, PARTS))


class Run:
    """One run of some parts: what waits, what is running, what has failed."""

    def __init__(self, parts: list[str]):
        self._begin = time.monotonic()
        self._waiting = list(parts)
        self._running: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
        self.failed: list[str] = []
        self.skipped = 0

    def to_its_end(self) -> None:
        try:
            while (self._waiting or self._running) and self._now_s() < _LIMIT_S:
                while self._waiting and len(self._running) < _AT_ONCE:
                    self._start(self._waiting.pop(0))
                for name, (part, began_s) in list(self._running.items()):
                    if part.poll() is not None:
                        self._finish(name, part.returncode)
                    elif self._now_s() - began_s > _PART_LIMIT_S:
                        self._say(name, f"not finished within {_PART_LIMIT_S} s")
                        self._finish(name, None)
                _progress(self._running, self._now_s())
                time.sleep(_LOOK_S)
            for name in list(self._running):
                self._say(name, f"not finished within {_LIMIT_S} s")
                self._finish(name, None)
            self.failed += self._waiting
        finally:
            for part, _ in self._running.values():
                part.kill()
                part.wait()

    def _start(self, name: str) -> None:
        environment = surroundings.kept() | {surroundings.OUTPUT_NAME: f"test-output-{name}.log"}
        with output_of(name).open("wb") as file:
            part = subprocess.Popen(
                command(name), stdout=file, stderr=subprocess.STDOUT, cwd=ROOT, env=environment
            )
        self._running[name] = part, self._now_s()
        self._say(name, "…")

    def _finish(self, name: str, status: int | None) -> None:
        part, began_s = self._running.pop(name)
        if status is None:
            part.kill()
            part.wait()
        text = output_of(name).read_text(errors="replace")
        if status != 0:
            self.failed.append(name)
            print(f"\n{text}", flush=True)
        closing = last_line(text)
        self.skipped += sum(map(int, re.findall(r"(\d+) skipped", closing)))
        took = f"{self._now_s() - began_s:.0f} s"
        # Of a part that a signal has ended, its number is all that there is to go by.
        verdict = "ok" if status == 0 else f"FAILED ({status})"
        self._say(name, f"{verdict}, {took}: {closing}")

    def _say(self, name: str, text: str) -> None:
        clear = "\r\x1b[K" if sys.stdout.isatty() else ""
        print(f"{clear}{self._now_s():5.0f} s  {name:<{_WIDTH}}  {text}", flush=True)

    def _now_s(self) -> float:
        return time.monotonic() - self._begin


def output_of(name: str) -> Path:
    """Return the file for a part's output."""
    return BUILD / f"test-{name}.txt"


def last_line(text: str) -> str:
    """The line with which pytest closes, e.g. "20 passed, 1 skipped in 111.60s (0:01:51)"."""
    lines = text.strip().splitlines()
    return lines[-1].strip("= ") if lines else "no output"


def _progress(names: Iterable[str], after_s: float) -> None:
    """One line on a terminal, written over: how far each part has come."""
    if not sys.stdout.isatty():
        return
    shares = []
    for name in names:
        text = output_of(name).read_text(errors="replace")
        percent = [word for word in text.split() if word.endswith("%]")]
        shares.append(f"{name} {percent[-1].strip('[]') if percent else '0%'}")
    print(f"\r\x1b[K{after_s:5.0f} s  {'  '.join(shares)}", end="", flush=True)


def main(arguments: list[str]) -> int:
    wanted = ",".join(arguments)
    if wanted == "help":
        print(described())
        return 0
    try:
        parts = named(wanted)
    except UnknownPart as e:
        print(e)
        return 2
    BUILD.mkdir(exist_ok=True)
    programs.fetch()
    run = Run(parts)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the parts end with it
    try:
        run.to_its_end()
    except KeyboardInterrupt:
        print("\nstopped; what has been said is in build/test-*.txt")
        return 130
    if run.skipped:
        print(f"{run.skipped} skipped; the reasons: grep SKIPPED build/test-*.txt")
    if run.failed:
        print(f"failed: {', '.join(run.failed)}")
        print(f"one of them alone: make test PART={run.failed[0]}")
        return 1
    print("all passed", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

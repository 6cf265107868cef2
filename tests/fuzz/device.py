# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fuzzes the device's parsers on the MicroPython interpreter, and watches it from outside.

A parser is a row of PARSERS and a file below on_board/ with
  SEEDS         good inputs, and what the golden files have of bad ones
  make(corpus)  the next input
  play(data)    None, or what is wrong; an exception that is not documented is wrong too
  ROOM          bytes of heap that an input may take, garbage included
"""

import functools
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from muster_harness.esp32.interpreter import find_interpreter
from tests.fuzz.instrument import noted_copy
from tests.fuzz.result import CASES, Result

_ON_BOARD = Path(__file__).parent / "on_board"
_HANG_S = 60  # without a word; other work on the machine must not look like a hang
_MOST_GROWTH = 4096  # bytes of heap, over all inputs after the exploration


@dataclass(frozen=True)
class Parser:
    file: str
    heap: str = "6M"  # the corpus and the engine live there too


PARSERS = {
    "dnssd": Parser("dnssd_answer"),
    "ntp": Parser("ntp_reply"),
    "url": Parser("url_text"),
    "http_answer": Parser("http_answer"),
    "noise": Parser("noise_message"),
    "directive": Parser("directive_text"),
    "configuration": Parser("configuration_text"),
    "record": Parser("record_file"),
    "identity": Parser("identity_record"),
    "platform_answer": Parser("platform_answer"),
    "bundle": Parser("bundle_text"),
    "console": Parser("console_line"),
    "setup_page": Parser("setup_request"),
    "setup_names": Parser("setup_question"),
    "rtc_memory": Parser("rtc_memory"),
    "scan": Parser("scan_result"),
}


def run(name: str, seed: int, inputs: int | None, seconds: float | None) -> Result:
    """Regression cases first, then new inputs."""
    result = Result(name, "device", seed)
    directory, blocks = _prepared()
    _watch(name, result, inputs, seconds, Path(directory.name))
    result.more["blocks_of_the_firmware"] = blocks
    if result.growth_bytes > _MOST_GROWTH:
        result.found(None, f"the heap grew by {result.growth_bytes} bytes")
    return result


@functools.cache
def _prepared() -> "tuple[tempfile.TemporaryDirectory[str], int]":
    """A directory with the copy of the firmware, until the process ends."""
    directory = tempfile.TemporaryDirectory()
    return directory, noted_copy(Path(directory.name) / "firmware")


def _watch(
    name: str, result: Result, inputs: int | None, seconds: float | None, directory: Path
) -> None:
    parser, file = PARSERS[name], CASES / f"{name}.json"
    current = directory / "current"
    kept = json.loads(file.read_text()) if file.exists() else []
    options = {
        "parser": parser.file,
        "seed": result.seed,
        "inputs": inputs,
        "seconds": seconds,
        "firmware": str(directory / "firmware"),
        "here": str(_ON_BOARD),
        "current": str(current),
        "cases": [case["input"] for case in kept],
    }
    told = directory / "options.json"  # an argument is a name to MicroPython, and has to be short
    told.write_text(json.dumps(options))
    command = [*find_interpreter().command, "-X", f"heapsize={parser.heap}"]
    process = subprocess.Popen(
        [*command, str(_ON_BOARD / "engine.py"), str(told)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    began, said = time.monotonic(), ""
    try:
        for line in _Lines(process):
            word, _, rest = line.partition(" ")
            if word == "P":
                result.inputs = int(rest.split()[0])
                print(f"\r{name}: {rest}   ", end="", file=sys.stderr, flush=True)
            elif word == "F":
                hexadecimal, _, text = rest.partition(" ")
                result.found(hexadecimal.strip("-"), json.loads(text))
            elif word == "D":
                _take(result, json.loads(rest))
            else:
                said += line + "\n"
        print(file=sys.stderr)
        if process.wait(_HANG_S) or "blocks" not in result.more:
            result.found(_current(current), f"it ends with {process.returncode}: {said[-2000:]}")
    except TimeoutError:
        result.found(_current(current), f"no word within {_HANG_S} s")
    finally:
        process.kill()
        process.communicate()
    result.seconds = result.seconds or time.monotonic() - began


def _take(result: Result, figures: dict[str, float]) -> None:
    result.inputs = int(figures.pop("inputs"))
    result.seconds = figures.pop("seconds")
    result.growth_bytes = int(figures.pop("growth_bytes"))
    result.more |= figures


class _Lines:
    """Line by line; TimeoutError if none comes for long."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout
        self._file = process.stdout.fileno()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._file, selectors.EVENT_READ)
        self._rest = b""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while b"\n" not in self._rest:
            if not self._selector.select(_HANG_S):
                raise TimeoutError
            part = os.read(self._file, 65536)
            if not part:
                raise StopIteration
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace")


def _current(file: Path) -> str:
    """The input that was being played, in hexadecimal."""
    if not file.exists():
        return ""
    size, _, rest = file.read_bytes().partition(b" ")
    return rest[: int(size)].hex()

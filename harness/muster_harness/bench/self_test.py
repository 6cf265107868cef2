# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tries the parts of a board that the firmware needs, before it leaves the bench."""

import json
from dataclasses import dataclass

from muster_harness.errors import BoardError, SelfTestFailed
from muster_harness.wire.repl import REPL

_LEAST_HEAP = 80_000  # bytes free at the prompt: onboarding needs about 80 KiB (make bench)
_LEAST_FILES = 64_000  # bytes free: two generations of records, and room to exchange the firmware
_TEST_S = 30.0

# On the board. Each part prints what it measured, or the exception it met.
_CODE = """\
import gc, json, os
def files():
    with open("/.muster-test", "wb") as f: f.write(bytes(range(256)) * 8)
    with open("/.muster-test", "rb") as f: same = f.read() == bytes(range(256)) * 8
    os.remove("/.muster-test")
    s = os.statvfs("/")
    return s[0] * s[3] if same else -1
def heap():
    gc.collect()
    return gc.mem_free()
def wifi():
    import network
    sta = network.WLAN(network.STA_IF)
    was = sta.active()
    sta.active(True)
    try: return len(sta.scan())
    finally: sta.active(was)
def button():
    from machine import Pin
    with open("/muster.json") as f: wired = json.load(f)["button"]
    if not wired: return 0
    pull = Pin.PULL_DOWN if wired["active"] else Pin.PULL_UP
    try: pin = Pin(wired["pin"], Pin.IN, pull)
    except ValueError: pin = Pin(wired["pin"], Pin.IN)
    return int(pin.value() == wired["active"])
def firmware():
    import muster
    return muster.__version__
found = {}
for part in (firmware, heap, files, wifi, button):
    try: found[part.__name__] = part()
    except Exception as e: found[part.__name__] = [type(e).__name__, str(e)]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class SelfTest:
    """The figures that the self-test measured. Sizes are bytes."""

    firmware: str
    heap_free: int
    files_free: int
    networks: int  # that the radio heard; none may be a missing antenna or a quiet place


def self_test(port: str) -> SelfTest:
    """Try every part of the board that the firmware needs.

    Raises SelfTestFailed with all parts that do not work and how, BoardError if the board's answer
    makes no sense.
    """
    with REPL(port, soft_reset=True, timeout_s=_TEST_S) as repl:
        said = repl.exec(_CODE)
    try:
        found = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise BoardError(f"the self-test on {port} was not understood; try again") from None
    wrong = [f"{part}: {' '.join(value)}" for part, value in found.items() if _is_error(value)]
    if not wrong:
        wrong = _shortcomings(found)
    if wrong:
        raise SelfTestFailed(f"the self-test on {port} found: {'; '.join(wrong)}")
    return SelfTest(found["firmware"], found["heap"], found["files"], found["wifi"])


def _is_error(value: object) -> bool:
    return isinstance(value, list)


def _shortcomings(found: dict[str, int]) -> list[str]:
    wrong = []
    if found["heap"] < _LEAST_HEAP:
        wrong.append(f"{found['heap']} bytes of heap are free, {_LEAST_HEAP} are needed")
    if found["files"] < 0:
        wrong.append("a file read back otherwise than it was written")
    elif found["files"] < _LEAST_FILES:
        wrong.append(f"{found['files']} bytes for files are free, {_LEAST_FILES} are needed")
    if found["button"]:
        wrong.append("the button is pressed, or its pin is another than the board's file says")
    return wrong

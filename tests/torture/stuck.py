# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An application that never gives the device's other tasks a turn: the watchdog has to end it."""

from muster_harness.errors import ExpectTimeout
from muster_harness.wire.repl import REPL
from tests.torture.bench import Bench, Save
from tests.torture.parts import BRICKED, Fault, Part

_MAIN = """\
import time
import muster

async def app(session):
    print("app is stuck")
    while True:
        time.sleep(1)

muster.run(app)
"""
_WATCHDOG_S = 60  # of the firmware
_SPEED = 50
_WAIT_S = 20.0


def bite(part: Part, bench: Bench, committed: Save) -> None:
    """Start the application on a device with a configuration, and wait for the reset."""
    bench.load(committed)
    board = bench.board
    board.power_on()
    board.expect(rb"step 6 ok", _WAIT_S)
    board.write(b"\x03")
    board.expect(rb">>> ", _WAIT_S)
    with REPL(board.port) as repl:
        repl.exec(f"with open('/main.py', 'w') as f:\n    f.write({_MAIN!r})")
    board.power_off()
    board.power_on()
    board.expect(rb"app is stuck", _WAIT_S)
    board.clock.scale(_SPEED)
    part.count("stuck tasks")
    try:
        board.expect(rb"Task watchdog got triggered", 3 * _WATCHDOG_S / _SPEED)
        board.clock.scale(1)
        board.expect(rb"on EMULATED, watchdog", _WAIT_S)
    except ExpectTimeout:
        part.find(Fault("a stuck application is never ended by the watchdog", BRICKED))
    finally:
        board.power_off()

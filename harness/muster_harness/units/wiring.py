# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The wiring of a board on a desk: a pin of another board, or a command that switches."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from muster_harness.errors import RigError
from muster_harness.units.unit import Unit

_COMMAND_S = 20.0


class Switch(Protocol):
    """A switch that presses a button or gives power."""

    def turn(self, is_on: bool) -> None:
        """Switch on or off. Raises a HarnessError if the switch cannot."""


@dataclass(frozen=True)
class PinWire:
    """A pin of a helping unit, which runs MicroPython, on the button, the relay or the LED.

    Without `releases` the pin drives both levels; with it, the pin lets go instead of driving
    "off", as an open collector does: right for a button with a pull-up of its own.
    """

    helper: Unit
    pin: int
    active: int
    releases: bool

    def turn(self, is_on: bool) -> None:
        mode = "OUT" if is_on or not self.releases else "IN"
        level = self.active if is_on else 1 - self.active
        value = f", value={level}" if mode == "OUT" else ""
        self.helper.exec(f"import machine; machine.Pin({self.pin}, machine.Pin.{mode}{value})")

    @property
    def is_active(self) -> bool:
        """True if the pin sees the level that means pressed or lit."""
        code = f"__import__('machine').Pin({self.pin}, __import__('machine').Pin.IN).value()"
        return bool(self.helper.eval(code) == self.active)


@dataclass(frozen=True)
class CommandSwitch:
    """Two programs, e.g. `uhubctl -l 1-1 -p 2 -a on`, of which each switches one way."""

    on: Sequence[str]
    off: Sequence[str]

    def turn(self, is_on: bool) -> None:
        """Run one of the two programs.

        Raises RigError if it fails, is missing, or takes too long.
        """
        command = self.on if is_on else self.off
        words = " ".join(command)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_COMMAND_S, check=False
            )
        except FileNotFoundError:
            raise RigError(f"the rig's command {words!r} is not there; install it") from None
        except (OSError, subprocess.TimeoutExpired) as e:
            raise RigError(f"the rig's command {words!r} did not end well: {e}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-200:]
            raise RigError(f"the rig's command {words!r} ended with {done.returncode}: {said}")

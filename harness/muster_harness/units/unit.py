# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The things that a test can do with a board, whichever it is and however it is reached.

A unit says what it can do (`capabilities`), and tests ask for that and never for names.
"""

import binascii
import inspect
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from re import Match
from typing import Any, Literal, Self

from muster_harness.deploy.layout import copies
from muster_harness.deploy.sending import put_files
from muster_harness.errors import CannotDo
from muster_harness.esp32.parts.buses import Buses
from muster_harness.esp32.parts.clock import ClockDoor
from muster_harness.facts import BoardFacts
from muster_harness.wire.board_log import BoardLog
from muster_harness.wire.repl import REPL

CAPABILITIES = {
    "air": "the networks around it are scripted (hil_air)",
    "buses": "what hangs on its I2C, SPI, UARTs and ADC is scripted",
    "button": "somebody can press its button",
    "clock": "its clock can be scaled, moved and skipped",
    "emulated": "it is no hardware",
    "flash_faults": "its flash can be made to fail",
    "hardware": "it is no emulation",
    "led": "somebody sees its LED",
    "pins": "every pin can be driven and read from outside",
    "power": "its power can be cut",
    "reset": "it can be reset without the help of its program",
}

# What to do about each on a unit that has it not.
CURES = {
    "air": "run with --hil-board emulated",
    "buses": "run with --hil-board emulated",
    "button": 'wire it, and say how in the rig file: button = { unit = "…", pin = 4 }',
    "clock": 'run with --hil-board emulated, and mark the test hil_needs("clock")',
    "emulated": "run with --hil-board emulated",
    "flash_faults": "run with --hil-board emulated",
    "hardware": "run with --hil-board and a serial port",
    "led": 'wire it, and say how in the rig file: led = { unit = "…", pin = 5 }; or run with '
    "--hil-board emulated",
    "pins": "run with --hil-board emulated",
    "power": "let a relay or a hub switch it, and say how in the rig file: power = { on = […], "
    "off = […] }",
    "reset": "use a port with control lines: a USB serial port, or rfc2217://",
}

_PIECE = 1023  # a multiple of 3, so that base64 pads only the end
_READ = f"""
import binascii
while piece := f.read({_PIECE}):
    print(binascii.b2a_base64(piece).decode(), end="")
f.close()
"""
_SLOWEST = 2000  # bytes in a second that a file is read with, at least
_HEAP = "import gc; gc.collect(); print(gc.mem_free(), gc.mem_alloc())"
# The ESP32 counts seconds from 2000, other ports from 1970.
_TIME = "import time; print(time.time() + (946684800 if time.gmtime(0)[0] == 2000 else 0))"
_SET_TIME = "import machine; machine.RTC().datetime(({}, {}, {}, {}, {}, {}, {}, 0))"


def emulated_capabilities(facts: BoardFacts, virtual_time: bool) -> frozenset[str]:
    """Return the capabilities of an emulated board of this type: not every one has a button or an
    LED."""
    given = {"button": facts.button, "clock": virtual_time, "led": facts.led}
    lacks = {"hardware"} | {word for word, part in given.items() if not part}
    return frozenset(CAPABILITIES) - lacks


def check_capabilities(words: Iterable[str]) -> frozenset[str]:
    """Return the words as a set.

    Raises CannotDo, with the list, if one of them is no capability.
    """
    wanted = frozenset(words)
    for word in sorted(wanted - CAPABILITIES.keys()):
        raise CannotDo(
            f"no unit can ever do {word!r}: there is no such capability. There are "
            + ", ".join(CAPABILITIES)
        )
    return wanted


@dataclass(frozen=True)
class Heap:
    """MicroPython's heap in bytes, after a collection."""

    free: int
    used: int


class Unit(ABC):
    """One board; a context manager that lets go of it.

    Everything has a deadline. Raises CannotDo where a capability is missing, PortError if the port
    fails, BoardError if the board does; nothing is promised about the board's deeds until then.
    """

    name: str
    capabilities: frozenset[str]
    log_path: Path
    _log: BoardLog

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of the board. A second call does nothing."""

    # -- how it is reached

    @property
    @abstractmethod
    def port(self) -> str:
        """The port's name for mpremote and pyserial just now: a path or a URL."""

    @abstractmethod
    def released(self) -> AbstractContextManager[str]:
        """Leave the port to another program, e.g. mpremote, for the length of a block."""

    @abstractmethod
    def repl(self, soft_reset: bool = False, timeout_s: float = 10.0) -> REPL:
        """Return the raw REPL, to be entered as a context; entering interrupts the program.

        See wire/repl.py.
        """

    # -- console

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Type on the console."""

    @property
    @abstractmethod
    def output(self) -> bytes:
        """The board's output, the newest MiB of it."""

    @abstractmethod
    def expect(self, pattern: bytes | str, timeout_s: float = 5.0) -> Match[bytes]:
        """Wait for a regular expression in the board's output, from the last match or reset on.

        Text stands for its UTF-8.

        Raises ExpectTimeout with the pattern, the last lines and the log's path.
        """

    @abstractmethod
    def forget_output(self) -> None:
        """Let the next `expect` see only the output from now on."""

    # -- power and reset

    @abstractmethod
    def reset(self, kind: Literal["hard", "soft"] = "hard") -> None:
        """Let the program begin anew, and return at once; `expect` sees only what comes then.

        `hard` restarts the chip: through its EN pin with the capability `reset`, else by
        machine.reset(). Wi-Fi survives a soft one.
        """

    @property
    def is_on(self) -> bool:
        """True if the board has power, as far as anybody knows."""
        return True

    def power_on(self) -> None:
        """Switch on and return at once; the board boots meanwhile."""
        raise self.cannot("power")

    def power_off(self) -> None:
        """Cut the power."""
        raise self.cannot("power")

    def stop(self) -> None:
        """Bring the board to its prompt with a fresh interpreter; boot.py has run, main.py has
        not."""
        with self.repl(soft_reset=True):
            pass

    # -- button, LED, pins

    def press(self, what: str = "button", ms: int = 200) -> None:
        """Hold a button down for some milliseconds; return when it is up again."""
        raise self.cannot("button")

    @property
    def is_lit(self) -> bool:
        """True while the LED shines."""
        raise self.cannot("led")

    def drive(self, pin: int, level: int | None) -> None:
        """Put a level on a pin from outside; None lets go of it."""
        raise self.cannot("pins")

    def level(self, pin: int) -> int:
        """Return the level on a pin, whoever drives it."""
        raise self.cannot("pins")

    @property
    def buses(self) -> Buses:
        """The devices on the board's I2C, SPI and UARTs, and the voltages at its ADC."""
        raise self.cannot("buses")

    # -- its servers

    @abstractmethod
    def url(self, port: int = 80, path: str = "/", address: str | None = None) -> str:
        """Return the URL at which a client on this host, a browser too, finds a server on it.

        An emulated board's is behind a relay, through the network that the board has joined, or
        the one that it has opened. Another board's is at `address`, which its program prints: to
        ask it would end the program. Raises BoardError while there is no way to it, with the
        cure.
        """

    # -- code

    def exec(self, code: str, timeout_s: float | None = 10.0, longest_s: float = 60.0) -> str:
        """Run statements and return their output. The running program is interrupted; its names
        stay.

        The board may be silent for `timeout_s`; None is as long as `longest_s`, the limit of all.

        Raises RemoteError as REPL.exec does. The log says how much ran, where from and how long,
        but not the code: it may hold passwords.
        """
        __tracebackhide__ = True  # in pytest's reports, which show where the test asked
        began = time.monotonic()
        where = _caller()
        silent_s = longest_s if timeout_s is None else timeout_s
        try:
            with self.repl(timeout_s=silent_s) as repl:
                said = repl.exec(code, silent_s, longest_s)
        except Exception as e:
            self._log.event(f"exec from {where}: {len(code)} characters, {type(e).__name__}")
            raise
        took_ms = (time.monotonic() - began) * 1000
        self._log.event(
            f"exec from {where}: {len(code)} characters, printed {len(said)}, {took_ms:.0f} ms"
        )
        return said

    def eval(self, expression: str, timeout_s: float = 10.0) -> Any:
        """Return the value of an expression on the board, if it is a literal on this host.

        Raises RemoteError, or HarnessError for a value that is no literal.
        """
        __tracebackhide__ = True
        with self.repl(timeout_s=timeout_s) as repl:
            self._log.event(f"eval from {_caller()}: {len(expression)} characters")
            return repl.eval(expression)

    # -- files

    def read_file(self, path: str) -> bytes:
        """Return a file's content.

        Raises RemoteOSError, with its errno, if the board cannot read it.
        """
        __tracebackhide__ = True
        with self.repl() as repl:
            size = int(repl.exec(f"f = open({path!r}, 'rb'); print(f.seek(0, 2)); f.seek(0)"))
            said = repl.exec(_READ, longest_s=60 + size / _SLOWEST)
        return binascii.a2b_base64(said)

    def write_file(self, path: str, data: bytes | str) -> None:
        """Write a file into a folder that is there; `copy` makes folders.

        Raises RemoteOSError, with its errno, if it cannot.
        """
        __tracebackhide__ = True
        raw = data.encode() if isinstance(data, str) else data
        self._log.event(f"write {path}: {len(raw)} bytes")
        with self.repl() as repl:
            repl.exec(f"f = open({path!r}, 'wb')")
            for start in range(0, len(raw), _PIECE):
                repl.exec(f"f.write({raw[start : start + _PIECE]!r})")
            repl.exec("f.close()")

    def copy(self, source: str | Path, target: str) -> None:
        """Copy a file, or a folder with all below it, and make the folders that it needs.

        Left out is what a deployment leaves out: names that begin with a dot, README*, and so on.
        Raises DeployError if there is no such source, FilesystemFull if the board has no room.
        """
        __tracebackhide__ = True
        files = copies(Path(source), target)
        self._log.event(f"copy {source} to {target}: {len(files)} files")
        with self.repl() as repl:
            put_files(repl, files)
            repl.exec("del put, DeflateIO")

    def list_files(self, path: str = "/") -> list[str]:
        """Return the names in a folder, sorted.

        Raises RemoteOSError if there is no such folder.
        """
        __tracebackhide__ = True
        return sorted(self.eval(f"__import__('os').listdir({path!r})"))

    def remove_file(self, path: str) -> None:
        """Remove a file. Raises RemoteOSError if there is none."""
        __tracebackhide__ = True
        self.exec(f"import os; os.remove({path!r})")

    # -- figures

    def heap(self) -> Heap:
        """Measure the heap of the interpreter; its program is interrupted."""
        __tracebackhide__ = True
        free, used = self.exec(_HEAP).split()
        return Heap(int(free), int(used))

    def time(self) -> int:
        """Return the board's clock as Unix time."""
        __tracebackhide__ = True
        return int(self.exec(_TIME))

    def set_time(self, unix_time: float) -> None:
        """Set the board's clock (UTC)."""
        __tracebackhide__ = True
        t = time.gmtime(unix_time)
        self.exec(_SET_TIME.format(*t[:3], t.tm_wday, *t[3:6]))

    @property
    def clock(self) -> ClockDoor:
        """The board's time, to be scaled, moved and skipped; `time` reads it."""
        raise self.cannot("clock")

    # -- what it can do

    def can(self, *words: str) -> bool:
        """Tell whether the board has these capabilities. Raises CannotDo for an unknown word."""
        return check_capabilities(words) <= self.capabilities

    def cannot(self, word: str) -> CannotDo:
        """Make the error for a missing capability, with the cure."""
        return CannotDo(
            f"{self.name} has no {word!r} ({CAPABILITIES[word]}); {CURES[word]}. It has "
            + ", ".join(sorted(self.capabilities))
        )


def _caller() -> str:
    """Return the place outside of the harness that asked, e.g. "test_sensor.py:34"."""
    here = str(Path(__file__).parents[1]) + os.sep
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(here):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "?"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The terminal between the interpreter and the wire: translation, UART, serial port, log."""

from collections import deque

from muster_harness.control import Later
from muster_harness.esp32.child import Child
from muster_harness.esp32.console import Console
from muster_harness.esp32.parts.uart import Line, Ring
from muster_harness.esp32.second_terminal import SecondTerminal
from muster_harness.esp32.serial_port import SerialPort
from muster_harness.loop import Loop, Timer
from muster_harness.wire.board_log import BoardLog
from muster_harness.wire.output import Output

_BANNER_WAIT_S = 0.05
_RESUME_S = 0.005


class Terminal:
    """The board's console, over all runs of its interpreter."""

    def __init__(self, loop: Loop, log: BoardLog, output: Output, baud: int | None):
        self._loop = loop
        self._log = log
        self._output = output
        self._sending = Line(loop, baud, self._sent)
        self._receiving = Line(loop, baud, self._received)
        self._ring = Ring(
            loop,
            baud,
            lambda: self._child,
            self._to_child,
            lambda lost: log.event(f"input overrun: {lost} bytes lost"),
        )
        self.serial = SerialPort(loop, self.type)
        self.second = SecondTerminal(
            self._received, lambda lost: log.event(f"second terminal: {lost} bytes lost")
        )
        self._child: Child | None = None
        self._console = Console(b"")
        self._flush: Timer | None = None
        self._interjections: deque[tuple[bytes, bool]] = deque()
        self._is_in_line = False
        self._boots_raw = False
        self._is_booting = self._interrupts_boot = False

    def close(self) -> None:
        self.serial.close()

    @property
    def is_raw(self) -> bool:
        """True if the REPL is in raw mode, or was when the run ended."""
        return self._console.is_raw

    # -- one run of the interpreter

    def start(self, banner: str, boots_raw: bool) -> None:
        """Follow a new run, whose friendly REPL shall begin with the banner."""
        self._console = Console(banner.encode())
        self._boots_raw = boots_raw
        self._is_booting, self._interrupts_boot = True, False

    def attach(self, child: Child) -> None:
        self._child = child
        child.holds_input = True

    def boot_scripts_begin(self, is_heard: bool) -> bool:
        """Take note that boot.py is next, and tell whether an early Ctrl-C interrupts it.

        On the way to the raw REPL input waits for the REPL, unless the program `is_heard` before.
        """
        self._is_booting = False
        if self._child is not None and (is_heard or not self._boots_raw):
            self._child.release_input()
        return self._interrupts_boot

    def repl_begins(self) -> None:
        if self._child is not None:
            self._child.drain()
            self._console.enters_repl(self._boots_raw)
            if self._boots_raw:
                self._child.release_input(b"\x01")

    def detach(self) -> None:
        """Take note that the run is over; nobody reads until the next one."""
        self._child = None
        self._flush_console()
        self.second.attach(False)

    def lose_input(self) -> None:
        """Empty the ring, as a new start of the chip does."""
        self._ring.clear()
        self._interjections.clear()

    def lose_power(self) -> None:
        self._sending.clear()
        self._receiving.clear()

    # -- output

    def from_child(self, data: bytes) -> None:
        self._say(self._console.feed(data))
        if self._console.holds and self._flush is None:
            self._flush = self._loop.later(_BANNER_WAIT_S, self._flush_console)
        if self._child is not None and self._must_wait:
            self._child.pause()
            self._loop.later(_RESUME_S, self._resume_child)

    def drain(self) -> None:
        """Take all that the program has said until now."""
        if self._child is not None:
            self._child.drain()
            self._flush_console()

    def raw_output(self, data: bytes) -> Later | None:
        """Take bytes that nothing translates; return a Later if the program has to wait for the
        line."""
        if self._child is None:
            return None
        self.drain()
        self._say(self._console.raw_output(data))
        if not self._sending.is_busy:
            return None
        answer = Later()
        self._sending.when_room(lambda: answer.give(None))
        return answer

    def _say(self, data: bytes) -> None:
        self.print(data)
        self.second.put(data)

    def print(self, data: bytes) -> None:
        """Send bytes untranslated; the ROM's output comes so too."""
        if self._interjections and data:
            data = self._interrupted(data)
        if data:
            self._is_in_line = data[-1:] != b"\n"
            self._sending.put(data)

    def interject(self, line: bytes, inside: bool) -> None:
        """Let another task of the chip print a line: between two of the program's, at once if
        there is none; or `inside` the next one that it prints."""
        if inside or self._is_in_line:
            self._interjections.append((line, inside))
        else:
            self.print(line)

    # What other tasks say goes in where it belongs: after a line's end, or into its middle.
    def _interrupted(self, data: bytes) -> bytes:
        line, inside = self._interjections[0]
        end = data.find(b"\n") + 1
        at = max(1, len(data[:end] or data) // 2) if inside else end
        if not at:
            return data
        self._interjections.popleft()
        rest = data[at:]
        return data[:at] + line + (self._interrupted(rest) if self._interjections else rest)

    @property
    def _must_wait(self) -> bool:
        return self.serial.is_full or self._sending.is_busy

    def _resume_child(self) -> None:
        if self._child is None:
            return
        if self._must_wait:
            self._loop.later(_RESUME_S, self._resume_child)
        else:
            self._child.resume()

    def _flush_console(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        self._say(self._console.flush())

    def _sent(self, data: bytes) -> None:
        self._log.output(data)
        self._output.append(data)
        self.serial.write(data)

    # -- input

    def type(self, data: bytes) -> None:
        """Take input for the console, from the port or as if it came from there."""
        self._receiving.put(data)
        if self._receiving.is_full:
            self.serial.pause()
            self._receiving.when_room(self.serial.resume)

    def _received(self, data: bytes) -> None:
        self._log.input(len(data))
        self._ring.put(data)

    def _to_child(self, data: bytes) -> None:
        if self._child is None:
            return
        self._console.saw_input(data)
        if self._is_booting and b"\x03" in data:
            self._interrupts_boot = not self._boots_raw
            data = data.replace(b"\x03", b"")
        self._child.write(data)

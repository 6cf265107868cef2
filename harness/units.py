# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A unit behind a serial port, whatever it is: what can be done with it over that port alone.

It has `expect` and `output` as the emulated board has; button, power and air are not promised.
"""

import contextlib
import threading
import time
from pathlib import Path
from re import Match

import serial

from harness.board_log import BoardLog
from harness.errors import BoardError, PortError
from harness.output import Output
from harness.ports import why_closed
from harness.repl import REPL

_BAUD = 115200
_LOOK_S = 0.05
_OBEYS_S = 0.3
_STOP, _FRIENDLY, _RESTART = b"\r\x03", b"\r\x02", b"\x04"


def restart_program(line: serial.Serial) -> None:
    """Stop what runs on a board and let it begin anew, as a person does with three keys."""
    line.write(_STOP)
    time.sleep(_OBEYS_S)  # a program that ends in good order takes its time
    line.write(_FRIENDLY)
    time.sleep(_OBEYS_S)
    line.write(_RESTART)


class SerialUnit:
    """One unit; a context manager. It holds its port only between `listen` and `mute`."""

    def __init__(self, port: str, log_path: Path):
        self.port = port
        self.log_path = log_path
        self._log = BoardLog(log_path)
        self._failure: str | None = None
        self._output = Output(log_path, lambda: self._failure)
        self._line: serial.Serial | None = None
        self._reader: threading.Thread | None = None
        self._is_listening = False

    def __enter__(self) -> "SerialUnit":
        return self

    def __exit__(self, *_: object) -> None:
        self.mute()
        self._log.close()

    def exec(self, code: str, timeout_s: float | None = None) -> str:
        """Run statements in a fresh interpreter; what they print. Not while listening."""
        with REPL(self.port, soft_reset=True) as repl:
            return repl.exec(code, timeout_s)

    def listen(self) -> None:
        """Open the port and keep what the unit says. Raises PortError."""
        if self._line is not None:
            return
        try:
            self._line = serial.serial_for_url(self.port, _BAUD, timeout=_LOOK_S, exclusive=True)
        except (OSError, ValueError):
            raise why_closed(self.port) from None
        self._failure = None
        self._is_listening = True
        self._reader = threading.Thread(target=self._read, name=self.port, daemon=True)
        self._reader.start()

    def mute(self) -> None:
        """Let go of the port, for a REPL or another program."""
        self._is_listening = False
        if self._reader is not None:
            self._reader.join()
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.close()
        self._line = self._reader = None

    def restart(self) -> None:
        """Stop the program and let it begin anew. Only while listening."""
        if self._line is None:
            raise BoardError(f"nobody listens to {self.port}; listen() first")
        self.forget_output()
        restart_program(self._line)

    def write(self, data: bytes) -> None:
        """Type on the console."""
        if self._line is None:
            raise BoardError(f"nobody listens to {self.port}; listen() first")
        self._log.input(len(data))
        try:
            self._line.write(data)
        except OSError as e:
            raise PortError(f"the port {self.port} vanished ({e}); plug it in again") from None

    @property
    def output(self) -> bytes:
        return self._output.all()

    def expect(self, pattern: bytes, timeout_s: float = 5.0) -> Match[bytes]:
        """As EmulatedBoard.expect."""
        return self._output.expect(pattern, timeout_s)

    def forget_output(self) -> None:
        self._output.forget()

    def _read(self) -> None:
        line = self._line
        while self._is_listening and line is not None:
            try:
                data = line.read(max(1, line.in_waiting))
            except OSError as e:
                self._failure = f"the port {self.port} vanished: {e}"
                self._output.wake()
                return
            if data:
                self._log.output(data)
                self._output.append(data)

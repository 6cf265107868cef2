# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A unit behind a port: a serial port by path or by USB serial number, socket:// or rfc2217://."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from re import Match
from typing import Literal

from muster_harness.errors import BoardError, PortError
from muster_harness.log import Log
from muster_harness.units.unit import Unit
from muster_harness.units.wiring import PinWire, Switch
from muster_harness.wire.board_log import BoardLog
from muster_harness.wire.output import Output
from muster_harness.wire.ports import find_port
from muster_harness.wire.repl import REPL
from muster_harness.wire.serial_line import SerialLine, has_reset_line, restart_program

_BACK_S = 10.0  # a board with USB of its own needs its time to appear again
_RETRY_S = 0.1


class SerialUnit(Unit):
    """A unit behind a port, which is found anew whenever it is opened.

    So a USB serial number stays good when the path changes. The port is opened when it is first
    needed, and held until `close` or within `released`. The rig passes in what is wired to the
    board.
    """

    def __init__(
        self,
        port: str,
        log_path: Path,
        *,
        name: str = "board",
        log: Log | None = None,
        button: Switch | None = None,
        power: Switch | None = None,
        led: PinWire | None = None,
    ):
        self.name = name
        self._wanted = port
        self._port = find_port(port)
        self._log = BoardLog(None if log is not None else log_path, name, log)
        self.log_path = self._log.path
        self._button, self._power, self._led = button, power, led
        self._failure: str | None = None
        self._output = Output(
            self.log_path, lambda: self._failure, PortError, self._log.without_secrets
        )
        self._line: SerialLine | None = None
        self._is_on = True
        self.capabilities = self.abilities(port, button, power, led)

    @staticmethod
    def abilities(port: str, button: object, power: object, led: object) -> frozenset[str]:
        """Return the capabilities of a unit with such wiring; None is not wired."""
        wired = {"button": button, "power": power, "led": led}
        lines = {"reset"} if has_reset_line(port) else set()
        return frozenset({"hardware"} | lines | {w for w, part in wired.items() if part})

    def close(self) -> None:
        self.mute()
        self._log.close()

    # -- how it is reached

    @property
    def port(self) -> str:
        return self._port

    def listen(self) -> None:
        """Open the port and keep the unit's output. Raises PortError."""
        if self._line is not None and self._line.failure is None:
            return
        self.mute()
        self._port = find_port(self._wanted)
        former, self._failure = self._failure, None
        try:
            self._line = SerialLine(self._port, self._heard, self._vanished)
        except PortError:
            self._failure = former
            raise
        self._log.event(f"port {self._port} opened")

    def mute(self) -> None:
        """Let go of the port."""
        if self._line is not None:
            self._line.close()
            self._line = None

    @contextlib.contextmanager
    def released(self) -> Iterator[str]:
        was_open = self._line is not None
        self.mute()
        self._log.event(f"port {self._port} left to others")
        yield find_port(self._wanted)
        if was_open:
            self._listen_again()

    def repl(self, soft_reset: bool = False, timeout_s: float = 10.0) -> REPL:
        if not self._is_on:
            raise BoardError(f"{self.name} is off; power_on() first")
        line = self._opened()
        return REPL(line.port, tap=line.tap(), soft_reset=soft_reset, timeout_s=timeout_s)

    def _opened(self) -> SerialLine:
        self.listen()
        if self._line is None:
            raise PortError(f"the port {self._port} is closed; listen() first")
        return self._line

    def _listen_again(self) -> None:
        """Open the port as soon as it is there again: its board may have been reset."""
        end = time.monotonic() + _BACK_S
        while True:
            try:
                self.listen()
                return
            except PortError:
                if time.monotonic() > end:
                    raise
            time.sleep(_RETRY_S)

    def _look_again(self, vanished: PortError) -> None:
        """Look for a port that was there; if it still is not, tell what is known of its end."""
        try:
            self.listen()
        except PortError:
            raise vanished from None

    def _heard(self, data: bytes) -> None:
        self._log.output(data)
        self._output.append(data)

    def _vanished(self, why: str) -> None:
        self._failure = why
        self._log.event(why)
        self._output.wake()

    # -- console

    def write(self, data: bytes) -> None:
        self._log.input(len(data))
        self._opened().write(data)

    @property
    def output(self) -> bytes:
        return self._output.all()

    def expect(self, pattern: bytes | str, timeout_s: float = 5.0) -> Match[bytes]:
        __tracebackhide__ = True
        if self._failure is None:
            self.listen()
        else:
            try:
                return self._output.expect(pattern, 0)  # it may have said so before
            except PortError as vanished:
                self._look_again(vanished)
        return self._output.expect(pattern, timeout_s)

    def forget_output(self) -> None:
        self._output.forget()

    def url(self, port: int = 80, path: str = "/", address: str | None = None) -> str:
        if address is None:
            raise BoardError(
                "to ask a board for its address would end its program; let the program print it, "
                f"e.g. print(wlan.ipconfig('addr4')), and say {self.name}.url({port}, address=…)"
            )
        return f"http://{address}:{port}{path}"

    # -- power and reset

    def reset(self, kind: Literal["hard", "soft"] = "hard") -> None:
        line = self._opened()
        self._log.event(f"reset asked for: {kind}")
        self.forget_output()
        if kind == "soft":
            restart_program(line)
        elif "reset" in self.capabilities:
            line.pulse_reset()
        else:
            with self.repl() as repl:
                repl.exec("import machine")
                repl.send("machine.reset()")
        if line.failure is not None:
            self._listen_again()

    @property
    def is_on(self) -> bool:
        return self._is_on

    def power_on(self) -> None:
        self._switch_power(True)
        self._listen_again()

    def power_off(self) -> None:
        self._switch_power(False)

    def _switch_power(self, is_on: bool) -> None:
        if self._power is None:
            raise self.cannot("power")
        self._log.event("power on" if is_on else "power off")
        self._power.turn(is_on)
        self._is_on = is_on

    # -- what is wired to it

    def press(self, what: str = "button", ms: int = 200) -> None:
        if self._button is None or what != "button":
            raise self.cannot("button")
        self._log.event(f"{what} pressed")
        self._button.turn(True)
        try:
            time.sleep(ms / 1000)
        finally:
            self._button.turn(False)
            self._log.event(f"{what} let go")

    @property
    def is_lit(self) -> bool:
        if self._led is None:
            raise self.cannot("led")
        return self._led.is_active

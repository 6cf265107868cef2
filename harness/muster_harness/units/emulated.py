# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An emulated ESP32 on a pty: the door to one board, usable from any thread."""

import contextlib
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from muster_harness.air.air import Air
from muster_harness.errors import BoardError, CannotDo, HarnessError
from muster_harness.esp32.evidence import NOTHING_MORE, Evidence
from muster_harness.esp32.interpreter import find_interpreter
from muster_harness.esp32.parts.buses import Buses
from muster_harness.esp32.parts.clock import ClockDoor
from muster_harness.esp32.parts.flash import FlashContent, How, Operation
from muster_harness.esp32.parts.idf_heap import HeapDoor
from muster_harness.esp32.parts.signals import PWMSignal
from muster_harness.esp32.radio.driver_rules import driver_rules
from muster_harness.esp32.shim_cache import SHIMS, compiled_shims
from muster_harness.esp32.supervisor import Supervisor
from muster_harness.facts import BoardFacts, Wired, read_facts
from muster_harness.log import Log
from muster_harness.loop import Loop
from muster_harness.units.server_door import ServerDoor
from muster_harness.units.unit import Unit, emulated_capabilities
from muster_harness.wire.board_log import BoardLog
from muster_harness.wire.repl import REPL

_PATIENCE_S = 30.0


class EmulatedBoard(Unit):
    """One emulated board: off when made; a context manager that switches off and closes at its
    end.

    `directory` keeps what a real board keeps without power: flash.img, nvs.json, efuse; and
    board.log. `air` knows the board by `name`, which is the folder's unless given; two boards of
    one name in one air are an AirError. `heap` is MicroPython's heap size, e.g. "328K". `facts` is
    a board file or its name. With `virtual_time`, `clock` can scale, jump and skip the board's
    time. `baud` is the serial line's speed, e.g. 115200; None is as fast as this host is. `log` is
    a test's log, into which this board writes too. `stand_ins` is a folder of modules that the
    board's programs find before all others. `shims` are other sources of the modules that stand
    for an ESP32's, for experiments. `idf` is the ESP-IDF whose Wi-Fi driver it has, "5.4" or
    "5.5"; `radio_lacks` what that was built without: "wpa3", "pmf", "channels_12_13". With
    `prints_idf_errors` the driver's error lines come on the console, as they do on a board unless
    `esp.osdebug(None)` was called; else they are in the log. With `limits_idf_heap` MicroPython's
    heap, Wi-Fi, connections and TLS share the RAM of a chip without PSRAM, see `idf_heap`.
    `evidence` is what else is wanted from it: line coverage, a chart of its heaps.
    Raises HarnessError for a heap size that cannot be, a flash image of another size, another
    `idf` or `radio_lacks`, or a directory in use; BoardError for a chip whose heap is not known.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        air: Air | None = None,
        heap: str = "328K",
        facts: str | os.PathLike[str] | BoardFacts = "EMULATED",
        name: str | None = None,
        virtual_time: bool = False,
        baud: int | None = None,
        log: Log | None = None,
        shims: Path = SHIMS,
        stand_ins: Path | None = None,
        idf: str = "5.5",
        radio_lacks: Iterable[str] = (),
        prints_idf_errors: bool = False,
        limits_idf_heap: bool = False,
        evidence: Evidence = NOTHING_MORE,
    ):
        folder = Path(directory).absolute()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.name = name or folder.name
        if not re.fullmatch(r"\d+w?[kKmM]?", heap):
            raise HarnessError(f"a heap is so many bytes, e.g. 320K or 1M, not {heap!r}")
        self.facts = facts if isinstance(facts, BoardFacts) else read_facts(os.fspath(facts))
        self.capabilities = emulated_capabilities(self.facts, virtual_time)
        rules = driver_rules(idf, radio_lacks)
        interpreter, compiled = find_interpreter(), compiled_shims(shims)
        self.air = Air() if air is None else air
        self._own_air = self.air if air is None else None
        self._log = BoardLog(folder / "board.log", self.name, log)
        self.log_path = self._log.path
        self._loop = Loop(f"board {self.name}")
        self._is_open = True
        try:
            self._supervisor = self._loop.call(
                lambda: Supervisor(
                    self._loop,
                    folder,
                    name=self.name,
                    air=self.air,
                    facts=self.facts,
                    heap=evidence.heap(heap),
                    interpreter=interpreter,
                    shims=compiled,
                    log=self._log,
                    virtual_time=virtual_time,
                    baud=baud,
                    stand_ins=stand_ins and stand_ins.absolute(),
                    rules=rules,
                    prints_idf_errors=prints_idf_errors,
                    limits_idf_heap=limits_idf_heap,
                    evidence=evidence,
                )
            )
        except BaseException:
            self._release()
            raise
        chip = self._supervisor
        self._clock = ClockDoor(self._loop, chip.clock, chip.rtc.now_unix_s)
        wlan = chip.wlan
        self._servers = ServerDoor(self.air, self.name, lambda: self._loop.call(wlan.own_network))
        self._log.count_flash(lambda: chip.flash.operations)

    @property
    def clock(self) -> ClockDoor:
        return self._clock

    @property
    def idf_heap(self) -> HeapDoor:
        """The model of ESP-IDF's heap, whose limits hold if the board was made so."""
        return HeapDoor(self._loop, self._supervisor.idf_heap)

    @property
    def port(self) -> str:
        return self._supervisor.terminal.serial.path

    @property
    def mac(self) -> bytes:
        return self._supervisor.mac

    @contextlib.contextmanager
    def released(self) -> Iterator[str]:
        yield self.port  # nobody holds it

    def repl(self, soft_reset: bool = False, timeout_s: float = 10.0) -> REPL:
        self._require_power()
        return REPL(
            self.port,
            soft_reset=soft_reset,
            timeout_s=timeout_s,
            failure=lambda: self._loop.failure or self._supervisor.failure,
        )

    def close(self) -> None:
        """Power off and give everything back. A second call does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        self._servers.close()
        self._log.count_flash(None)
        try:
            if self._loop.failure is None:
                self._loop.call(self._supervisor.close)
            else:
                self._supervisor.close()  # nobody else is left to end the interpreter
        finally:
            self._release()

    def _release(self) -> None:
        self._loop.stop()
        self._log.close()
        if self._own_air is not None:
            self._own_air.close()

    # -- power and reset

    def power_on(self) -> None:
        """Switch on and return at once; the board boots meanwhile."""
        self._loop.call(self._supervisor.power_on)

    def power_off(self) -> None:
        """Cut the power: RAM, clock and RTC memory are gone, flash and NVS stay."""
        self._loop.call(self._supervisor.power_off)

    @property
    def is_on(self) -> bool:
        return self._loop.call(lambda: self._supervisor.is_on)

    def reset(self, kind: Literal["hard", "soft"] = "hard") -> None:
        """Press EN ("hard"), which is a power-on for an ESP32; or type Ctrl-C and Ctrl-D."""
        self._require_power()
        self.forget_output()
        if kind == "hard":
            self._loop.call(self._supervisor.button_reset)
        else:
            self.write(b"\x03\x04")

    @property
    def failure(self) -> str | None:
        """The reason why the board cannot run any more; None while it can."""
        return self._supervisor.failure or self._loop.failure

    # -- the flash chip and its faults; `muster_harness.units.power_cuts` tries them all

    def brown_out(self) -> None:
        """Let the supply fall too low for a moment: a reset that keeps RTC memory."""
        self._require_power()
        self._loop.call(self._supervisor.brown_out)

    def cut_power_at_flash_op(
        self, operation: int, how: How = "before", torn_bytes: int = 0
    ) -> None:
        """Cut the power at the n-th operation from now; 0 takes the order back.

        An operation is an erase, a program, or a write of NVS.
        """
        self._loop.call(lambda: self._supervisor.flash.cut_at(operation, how, torn_bytes))

    @property
    def flash_operations(self) -> int:
        """The number of erases, programs and writes of NVS since this object was made."""
        return self._loop.call(lambda: self._supervisor.flash.operations)

    def erase_flash(self) -> None:
        """Blank the chip, filesystem and NVS. The board has to be off."""
        self._require_off("erased")
        for part in (self._supervisor.flash, self._supervisor.nvs):
            self._loop.call(part.erase)

    def read_flash(self) -> FlashContent:
        """Return the filesystem's image and NVS, in a form that `write_flash` takes."""
        return self._loop.call(
            lambda: FlashContent(self._supervisor.flash.read(), self._supervisor.nvs.read())
        )

    def write_flash(self, content: FlashContent) -> None:
        """Put the result of `read_flash`, of any board, onto this board's chip.

        The board has to be off.
        """
        self._require_off("written")
        self._loop.call(lambda: self._supervisor.flash.write(content.image))
        self._loop.call(lambda: self._supervisor.nvs.write(content.nvs))

    def record_flash(self) -> None:
        """Keep every flash operation from now on, until `recorded_flash`."""
        self._loop.call(self._supervisor.flash.record)

    def recorded_flash(self) -> list[Operation]:
        """End the recording and return the operations since `record_flash`, in their order."""
        return self._loop.call(self._supervisor.flash.recorded)

    def flip_flash_bits(self, at: int, mask: int = 1) -> None:
        """Flip bits of one byte of the filesystem's image."""
        self._loop.call(lambda: self._supervisor.flash.flip(at, mask))

    def wear_out_nvs(self, writes: int = 0) -> None:
        """Let NVS have no free page left after so many more writes.

        From then on writes fail, and the next reset of the chip erases all of NVS without a word,
        as MicroPython's start-up code does on ESP_ERR_NVS_NO_FREE_PAGES.
        """
        self._loop.call(lambda: self._supervisor.nvs.wear_out(writes))

    def _require_off(self, what: str) -> None:
        if self.is_on:
            raise BoardError(f"the flash of a running board cannot be {what}; power it off first")

    # -- pins

    def press(self, what: str = "button", ms: int = 200) -> None:
        """Hold a button down for some milliseconds of the board's clock; return when it is up
        again.

        Meanwhile no wait of the program is skipped.
        """
        button = self._wired(what, self.facts.button)
        clock, pins = self._supervisor.clock, self._supervisor.pins
        is_up = threading.Event()

        def let_go() -> None:
            pins.drive(button.pin, 1 - button.active)
            clock.let_go()
            is_up.set()

        def begin() -> float:
            clock.hold()
            pins.drive(button.pin, button.active)
            clock.later(ms / 1000, let_go)
            return clock.host_s(ms / 1000)

        if not is_up.wait(self._loop.call(begin) + _PATIENCE_S):
            raise BoardError(
                f"the {what} of {self.name} is still held: its {ms} ms have not passed on the "
                "board's clock; was that slowed down, or the board closed?"
            )

    def drive(self, pin: int, level: int | None) -> None:
        """Put a level on a pin from outside; None lets go of it."""
        self._require_pin(pin)
        self._loop.call(lambda: self._supervisor.pins.drive(pin, level))

    def wire(self, pin: int, other: int) -> None:
        """Put a wire between two pins: what the program sends on one, a level, a PWM or what a
        UART says, it sees on the other."""
        self._require_pin(pin)
        self._require_pin(other)
        self._loop.call(lambda: self._supervisor.pins.wire(pin, other))

    def level(self, pin: int) -> int:
        """Return the level on a pin, whoever drives it."""
        self._require_pin(pin)
        return self._loop.call(lambda: self._supervisor.pins.level(pin))

    @property
    def is_lit(self) -> bool:
        """True while the LED shines."""
        led = self._wired("led", self.facts.led)
        return self.level(led.pin) == led.active

    def pwm(self, pin: int) -> PWMSignal | None:
        """Return the PWM that the program puts on a pin; None if there is none."""
        return self._loop.call(lambda: self._supervisor.signals.pwm.get(pin))

    def pixels(self, pin: int, order: str = "GRB") -> list[tuple[int, ...]]:
        """Return the colours, as (red, green, blue), of a NeoPixel strip on a pin; empty before
        any."""
        return self._loop.call(lambda: self._supervisor.signals.pixels(pin, order))

    def volts(self, pin: int) -> float | None:
        """Return the voltage that the program's DAC puts on a pin; None if it does not."""
        return self._loop.call(lambda: self._supervisor.signals.dac.get(pin))

    def pulses(self, pin: int) -> list[tuple[int, float]]:
        """The newest sequence of an RMT channel on a pin: level and microseconds of each pulse."""
        return self._loop.call(lambda: self._supervisor.signals.pulses.get(pin, []))

    @property
    def buses(self) -> Buses:
        """The devices on the board's I2C, SPI and UARTs, and the voltages at its ADC."""
        return self._supervisor.buses

    # -- console

    @property
    def output(self) -> bytes:
        """The board's output, the newest MiB of it."""
        return self._supervisor.output.all()

    def expect(self, pattern: bytes | str, timeout_s: float = 5.0) -> re.Match[bytes]:
        """Wait for a regular expression in the board's output, from the last match or reset on;
        text stands for its UTF-8. Raises ExpectTimeout with the pattern, the last lines and the
        log's path.
        """
        __tracebackhide__ = True
        return self._supervisor.output.expect(pattern, timeout_s)

    def forget_output(self) -> None:
        """Let the next `expect` see only the output from now on."""
        self._supervisor.output.forget()

    def write(self, data: bytes) -> None:
        """Type on the console, as through the serial port."""
        self._loop.call(lambda: self._supervisor.terminal.type(data))

    def say_idf(
        self, message: str | bytes, *, level: str = "E", tag: str = "wifi", inside: bool = False
    ) -> None:
        """Let a task of ESP-IDF print a line on the console, between two lines of the program, or
        `inside` the next one. A text gets its head, e.g. "E (261708) wifi:"; bytes are printed as
        they are, with an end. Raises BoardError for what is no line, and for a board that is off.
        """
        self._require_power()
        self._loop.call(lambda: self._supervisor.say_idf(message, level, tag, inside))

    # -- its servers

    def url(self, port: int = 80, path: str = "/", address: str | None = None) -> str:
        """Return the URL of a web server of the board, for clients on this host.

        A visitor of the network that the board has joined, or else of the one that it has opened,
        relays to it. Raises BoardError while the board is in no network.
        """
        return self._servers.url(port, path, address)

    # -- helpers

    def _require_power(self) -> None:
        if not self.is_on:
            raise BoardError(self.failure or f"board {self.name} is off; power_on() first")

    def _require_pin(self, pin: int) -> None:
        if pin not in range(self.facts.pin_count) or pin in self.facts.missing_pins:
            missing = ", ".join(map(str, sorted(self.facts.missing_pins)))
            raise BoardError(
                f"{self.facts.name} has no pin {pin}; it has 0 to {self.facts.pin_count - 1}"
                + (f" without {missing}" if missing else "")
            )

    def _wired(self, what: str, part: Wired | None) -> Wired:
        if what not in ("button", "led") or part is None:
            raise CannotDo(f"{self.facts.name} has no {what!r}; its board file names its parts")
        return part

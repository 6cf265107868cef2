# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board itself: holds every state that outlives a run of the interpreter, and starts runs.

All of it runs in the board's loop; `muster_harness.units.emulated` is the door for other threads.
"""

import contextlib
from pathlib import Path

from muster_harness.air.address_range import AddressRange
from muster_harness.air.air import Air
from muster_harness.air.tcp_relay import TCPRelay
from muster_harness.esp32.child import CLOCK_FD, IMAGE_FD, PAGE_FD, Child
from muster_harness.esp32.evidence import Evidence
from muster_harness.esp32.hardware_calls import HardwareCalls
from muster_harness.esp32.idf_log import log_line
from muster_harness.esp32.interpreter import BUILD, Interpreter
from muster_harness.esp32.parts.buses import Buses
from muster_harness.esp32.parts.chips import chip
from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.esp32.parts.counting import Counters
from muster_harness.esp32.parts.efuse import factory_mac
from muster_harness.esp32.parts.flash import Flash, reopened
from muster_harness.esp32.parts.idf_heap import IDFHeap
from muster_harness.esp32.parts.nvs import NVS
from muster_harness.esp32.parts.pins import Pins
from muster_harness.esp32.parts.rtc import RTC
from muster_harness.esp32.parts.signals import Signals
from muster_harness.esp32.parts.wake import DEEP, Sleep
from muster_harness.esp32.parts.watchdog import Watchdog
from muster_harness.esp32.parts.wave_file import WaveFile
from muster_harness.esp32.radio.driver import Radio
from muster_harness.esp32.radio.driver_rules import DriverRules
from muster_harness.esp32.radio.mdns_relay import MDNSRelay
from muster_harness.esp32.radio.resolver import Resolver
from muster_harness.esp32.radio.soft_ap import SoftAP
from muster_harness.esp32.radio.wlan import WLAN
from muster_harness.esp32.rarities import Rarities
from muster_harness.esp32.reset import BROWN_OUT, SOFT_REBOOT, Reset, crash_panic, watchdog_panic
from muster_harness.esp32.run import Run, Start
from muster_harness.esp32.terminal import Terminal
from muster_harness.facts import BoardFacts
from muster_harness.loop import Loop
from muster_harness.wire.board_log import BoardLog
from muster_harness.wire.output import Output

_START = "__import__('sys').path.pop(0);__import__('scripts').run(globals())"
_MDNS_LOOK_S = 0.05
_LINKS = ("link", "access point", "itself", "cable")  # shims/host_link.py
_HELP = b'Type "help()" for more information.\r\n'
_CRASHES = 3


class Supervisor:
    """Power, resets, console and parts of one emulated board."""

    def __init__(
        self,
        loop: Loop,
        directory: Path,
        *,
        name: str,
        air: Air,
        facts: BoardFacts,
        heap: str,
        interpreter: Interpreter,
        shims: Path,
        log: BoardLog,
        virtual_time: bool,
        baud: int | None,
        stand_ins: Path | None,
        rules: DriverRules,
        prints_idf_errors: bool,
        limits_idf_heap: bool,
        evidence: Evidence,
    ):
        self.loop = loop
        self.evidence = evidence
        self.stand_ins = stand_ins
        self._prints_idf_errors = prints_idf_errors
        self.name = name
        self.air = air
        self.facts = facts
        self.chip = chip(facts.mcu)
        self.idf_heap = IDFHeap(facts.mcu, limits_idf_heap)
        self.log = log
        self._interpreter = interpreter
        self._start = Start(
            [*interpreter.command, "-X", f"heapsize={heap}", "-c", _START],
            {
                # nowhere, so that the REPL's history, with what is typed into it, stays out
                "HOME": str(directory / "no-home"),
                "MICROPYPATH": f"{shims}:.frozen",
            },
            is_slow=baud is not None,
        )
        with contextlib.ExitStack() as parts:  # what is closed in the end, or if one fails
            self.mac = factory_mac(directory / "efuse")
            self.flash = Flash(directory / "flash.img", facts.filesystem_bytes)
            parts.callback(self.flash.close)
            self.nvs = NVS(directory / "nvs.json", facts.nvs_bytes, self.flash.nvs_operation)
            self.clock = BoardClock(loop, virtual_time)
            parts.callback(self.clock.close)
            self.rtc = RTC(self.clock)
            self.waves = WaveFile(log.beside("vcd"), set(range(facts.pin_count)))
            parts.callback(self.waves.close)
            self.signals = Signals()
            self.pins = Pins(
                facts.pin_count,
                facts.missing_pins,
                facts.input_only_pins,
                lambda pin: self.event("pin", pin),
                self._pin_changed,
                lambda pin: self.signals.level(pin, self.clock.now_us() / 1_000_000),
            )
            self.sleep = Sleep(self.chip, self.clock, self.pins.level, self._wake_up)
            self.buses = Buses(
                log.event,
                # from any thread: a test feeds UARTs
                lambda uart, flags: loop.post(lambda: self.event("uart", uart, flags)),
                self.pins.are_wired,
            )
            self.counters = Counters(
                self.pins.level, lambda unit, flags: self.event("pcnt", unit, flags)
            )
            self.watchdog = Watchdog(self.clock, self._watchdog_bites)
            ap_mac = self.mac[:5] + bytes([self.mac[5] + 1 & 0xFF])
            self._addresses: list[str | None] = [None] * 4  # of the links, by interface
            self.loopback = AddressRange()
            parts.callback(self.loopback.release)
            air.enter(name)
            parts.callback(air.leave, name)
            self.soft_ap = SoftAP(air, name, ap_mac, lambda own: self.link_changed(1, own))
            parts.callback(self.soft_ap.close)
            self.radio = Radio(
                loop,
                self.clock,
                air,
                name,
                self.mac,
                lambda own: self.link_changed(0, own),
                self.soft_ap,
                rules,
                self._driver_says,
            )
            self.wlan = WLAN(self.radio, self.soft_ap, facts.hostname)
            self.tcp_relay = TCPRelay(
                loop,
                air.messages,
                name,
                lambda number, error: self.event("connected", number, error),
                air.flow,
            )
            parts.callback(self.tcp_relay.close)
            self.mdns = MDNSRelay(loop, self.clock, self.radio)
            parts.callback(self.mdns.close)
            self.resolver = Resolver(self.clock, self.radio, self.mdns)
            self.failure: str | None = None
            self.output = Output(
                log.path,
                lambda: self.failure or loop.failure,
                without_secrets=log.without_secrets,
            )
            self.terminal = Terminal(loop, log, self.output, baud)
            parts.callback(self.terminal.close)
            self.rarities = Rarities(self)
            parts.callback(self.rarities.close)
            self._hardware_calls = HardwareCalls(self)
            self._run: Run | None = None
            self.is_on = False
            self.boots_raw = False
            self.reset_cause = Reset.POWER_ON
            self.frequency_hz = facts.frequency_hz
            self._crashes = 0
            self._has_booted = False
            self._parts = parts.pop_all()

    # -- power and resets

    def power_on(self) -> None:
        if not self.is_on:
            self.is_on = True
            self.failure = None
            self._lose_power()
            self._restart_chip(Reset.POWER_ON)

    def power_off(self) -> None:
        if self.is_on:
            self.log.event("power off")
            self.is_on = False
            self._stop_chip()
            self.terminal.lose_power()
            self._lose_power()

    def button_reset(self) -> None:
        """Pull EN to ground and let it go: for an ESP32 that is power off and on."""
        if self.is_on:
            self._stop_chip()
            self._lose_power()
            self._restart_chip(Reset.POWER_ON)

    def _lose_power(self) -> None:
        self.rtc.lose_power()
        self.pins.lose_power()

    def brown_out(self) -> None:
        """Let the supply fall, and come back before RTC memory is lost."""
        if self.is_on:
            self.terminal.print(BROWN_OUT)
            self.hard_reset(Reset.BROWN_OUT)

    def hard_reset(self, cause: Reset = Reset.HARD) -> None:
        self._stop_chip()
        self._restart_chip(cause)

    def soft_reset(self) -> None:
        self._end_run()
        self._soft_reset_after(self.terminal.is_raw)

    def deep_sleep(self, time_ms: int | None) -> None:
        # What can be refused is refused before the chip stops: nothing would wake it again.
        self.sleep.sources.require_possible(DEEP)
        time_ms = None if time_ms is None else int(time_ms)
        self._stop_chip(sleeps=True)
        self.log.event("deep sleep" + (f" {time_ms} ms" if time_ms is not None else ""))
        self.sleep.begin(DEEP, time_ms)
        self.skip_while_asking()

    def close(self) -> None:
        """Switch the board off and give everything back. A second call does nothing."""
        with self._parts:
            self.power_off()

    def _wake_up(self, kind: int) -> None:
        if kind == DEEP:
            self._restart_chip(Reset.DEEP_SLEEP)
        else:
            self.event("woken")

    def _watchdog_bites(self) -> None:
        self.terminal.print(watchdog_panic(self.clock.uptime_ms()))
        self.hard_reset(Reset.WATCHDOG)

    def _stop_chip(self, *, sleeps: bool = False) -> None:
        self.sleep.end()
        self._end_run()
        self.terminal.lose_input()
        self.watchdog.stop()
        for part in (self.wlan, self.resolver, self.idf_heap, self.rarities):
            part.restart()
        self.signals.reset()
        if sleeps:
            self.pins.sleep()
        else:
            self.pins.reset(keeps_levels=False)

    def _restart_chip(self, cause: Reset) -> None:
        self.nvs.start()
        self.reset_cause = cause
        self.sleep.chip_starts(from_deep_sleep=cause is Reset.DEEP_SLEEP)
        self.pins.reset(keeps_levels=False)
        self.frequency_hz = self.facts.frequency_hz
        self.clock.chip_starts()
        self.log.event(f"reset: {cause.name.lower()}")
        self.terminal.print(cause.banner)
        self._begin_run(raw=False)

    def _soft_reset_after(self, raw: bool) -> None:
        self.reset_cause = Reset.SOFT
        self.log.event("reset: soft")
        self.terminal.print(SOFT_REBOOT)
        self.pins.reset(keeps_levels=True)
        self.signals.reset()
        self._begin_run(raw)

    # -- one run of the interpreter

    def _begin_run(self, raw: bool) -> None:
        self.boots_raw = raw
        self._has_booted = False
        banner = f"MicroPython {BUILD}; {self.facts.machine}"
        self.terminal.start(banner, raw)
        files = {IMAGE_FD: reopened(self.flash.image_fd), PAGE_FD: reopened(self.flash.page_fd)}
        if self.clock.page_fd is not None:
            files[CLOCK_FD] = reopened(self.clock.page_fd)
        answer = self._hardware_calls.answer
        self._run = Run(self.loop, self._start, files, answer, self.terminal, self._run_exited)
        self.link_changed(0, self.radio.address if self._is_linked() else None)
        if self.soft_ap.address is not None:
            self.link_changed(1, self.soft_ap.address)
        self.rarities.run_begins()

    def boot_scripts_begin(self, is_heard: bool, heap_used: int) -> bool:
        """Take note that boot.py is next; tell whether an early Ctrl-C interrupts it. With
        `is_heard` a loop that only Ctrl-C ends comes first. `heap_used` is in bytes."""
        self._has_booted = True
        self.idf_heap.python_begins(heap_used)
        return self.terminal.boot_scripts_begin(is_heard)

    def repl_begins(self) -> None:
        self._crashes = 0
        self.terminal.repl_begins()

    def _end_run(self) -> None:
        self._parts_see_end()
        run, self._run = self._run, None
        if run is not None:
            run.end()

    def _parts_see_end(self) -> None:
        self.rtc.run_ends()
        self.buses.reset()
        self.counters.reset()
        self.rarities.run_ends()

    def _run_exited(self, code: int) -> None:
        self._parts_see_end()
        self._run = None
        if code >= 0 and self._has_booted:
            self._soft_reset_after(self.terminal.is_raw)
            return
        self._crashes += 1
        self.log.event(f"the interpreter ended with {code}")
        if self._crashes >= _CRASHES or code >= 0:
            self._give_up(code)
        else:
            self.terminal.print(crash_panic(-code))
            self.hard_reset()

    def _give_up(self, code: int) -> None:
        self._stop_chip()
        self.is_on = False
        self.failure = self._interpreter.why_it_ended(code)
        self.output.wake()

    def skip_while_asking(self) -> None:
        """Skip time, if it is virtual, while a board waits for its own hardware."""
        if self.clock.skips:
            self.loop.post(self._skip)

    def _skip(self) -> None:
        is_asking = self._run is not None and self._run.is_asking
        is_waiting = self.sleep.kind == DEEP or is_asking
        if not is_waiting or not self.clock.skips:
            return
        if self.mdns.is_asking:  # others' answers come in the host's time
            self.loop.later(_MDNS_LOOK_S, self._skip)
        elif self.clock.leap(None):
            self.loop.post(self._skip)

    @property
    def child(self) -> Child | None:
        """The interpreter's process, None between two runs."""
        return self._run.child if self._run is not None else None

    def say_idf(self, message: str | bytes, level: str, tag: str, inside: bool) -> None:
        """Let a task of ESP-IDF print a line. Raises BoardError for what is none."""
        self.terminal.interject(log_line(message, level, tag, self.clock.uptime_ms()), inside)

    def _driver_says(self, message: str) -> None:
        self.log.event(f"wifi: {message}")
        if self._prints_idf_errors:
            self.say_idf(message, "E", "wifi", inside=False)

    # -- network and pins

    def _pin_changed(self, pin: int, level: int, at_us: int | None) -> None:
        self.log.event(f"pin {pin} is {level}")
        self.waves.pin(pin, level, at_us or self.clock.now_us())
        self.sleep.look()
        self.counters.edge(pin, level)

    def event(self, name: str, *arguments: object) -> None:
        if self._run is not None:
            self._run.event(name, *arguments)

    def _is_linked(self) -> bool:
        point, address = self.radio.joined, self.radio.address
        return point is not None and address is not None and address in point.addresses

    def link_changed(self, interface: int, address: str | None) -> None:
        self.log.event(f"{_LINKS[interface]} {address or 'down'}")
        before, self._addresses[interface] = self._addresses[interface], address
        if before is not None and before != address:
            self.tcp_relay.silence(before)
        self.event("link", interface, address)
        self.follow_radio()

    def follow_radio(self) -> None:
        """Let ESP-IDF's heap know what the radio does."""
        is_active = self.radio.is_active or self.soft_ap.is_active
        self.idf_heap.wifi_is(active=is_active, joined=self._addresses[:2] != [None, None])

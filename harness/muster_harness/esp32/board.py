# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board that a program asks, as those see it that answer: its parts, and its resets."""

from pathlib import Path
from typing import Protocol

from muster_harness.air.address_range import AddressRange
from muster_harness.air.air import Air
from muster_harness.air.tcp_relay import TCPRelay
from muster_harness.esp32.child import Child
from muster_harness.esp32.evidence import Evidence
from muster_harness.esp32.parts.buses import Buses
from muster_harness.esp32.parts.chips import Chip
from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.esp32.parts.counting import Counters
from muster_harness.esp32.parts.idf_heap import IDFHeap
from muster_harness.esp32.parts.nvs import NVS
from muster_harness.esp32.parts.pins import Pins
from muster_harness.esp32.parts.rtc import RTC
from muster_harness.esp32.parts.signals import Signals
from muster_harness.esp32.parts.wake import Sleep
from muster_harness.esp32.parts.watchdog import Watchdog
from muster_harness.esp32.parts.wave_file import WaveFile
from muster_harness.esp32.radio.driver import Radio
from muster_harness.esp32.radio.mdns_relay import MDNSRelay
from muster_harness.esp32.radio.resolver import Resolver
from muster_harness.esp32.radio.wlan import WLAN
from muster_harness.esp32.rarities import Rarities
from muster_harness.esp32.reset import Reset
from muster_harness.esp32.terminal import Terminal
from muster_harness.facts import BoardFacts
from muster_harness.loop import Loop
from muster_harness.wire.board_log import BoardLog


class Board(Protocol):
    """The board whose program asks: its parts, and its resets. The supervisor is one."""

    name: str
    mac: bytes
    loop: Loop
    facts: BoardFacts
    chip: Chip
    stand_ins: Path | None
    boots_raw: bool
    reset_cause: Reset
    frequency_hz: int
    log: BoardLog
    air: Air
    loopback: AddressRange
    buses: Buses
    counters: Counters
    clock: BoardClock
    evidence: Evidence
    idf_heap: IDFHeap
    mdns: MDNSRelay
    nvs: NVS
    pins: Pins
    rarities: Rarities
    radio: Radio
    resolver: Resolver
    rtc: RTC
    signals: Signals
    sleep: Sleep
    tcp_relay: TCPRelay
    terminal: Terminal
    watchdog: Watchdog
    waves: WaveFile
    wlan: WLAN

    @property
    def child(self) -> Child | None: ...
    def event(self, name: str, *arguments: object) -> None: ...
    def boot_scripts_begin(self, is_heard: bool, heap_used: int) -> bool: ...
    def link_changed(self, interface: int, address: str | None) -> None: ...
    def follow_radio(self) -> None: ...
    def repl_begins(self) -> None: ...
    def soft_reset(self) -> None: ...
    def hard_reset(self) -> None: ...
    def deep_sleep(self, time_ms: int | None) -> None: ...
    def power_off(self) -> None: ...
    def skip_while_asking(self) -> None: ...

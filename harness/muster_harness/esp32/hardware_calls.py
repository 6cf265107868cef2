# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers what the board's program asks of its hardware: a method for each verb of the channel."""

from typing import Any

from muster_harness.control import Later, Refusal, machine_word
from muster_harness.esp32.interpreter import BUILD, VERSION
from muster_harness.esp32.network_calls import NetworkCalls
from muster_harness.esp32.parts.nvs import PowerCut
from muster_harness.esp32.parts.wake import LIGHT

_ENOMEM = 12
_MPI_ALLOC_FAILED = (-16, "MBEDTLS_ERR_MPI_ALLOC_FAILED")
_UNTOUCHED = 600  # what a pad counts that nobody touches, about


class HardwareCalls(NetworkCalls):
    """Answers the shims. The class is stateless: all state is in the board's parts."""

    def answer(self, verb: str, arguments: list[Any]) -> Any:
        try:
            if self._board.rarities.has(verb):
                answer = self._board.rarities.ask(verb, *arguments)
            else:
                answer = getattr(self, f"_{verb}")(*arguments)
        except Refusal:
            raise
        except Exception as e:  # a mistake of the program's, or of a test's own hook
            self._board.log.event(f"{verb} cannot be answered: {type(e).__name__}: {e}")
            raise
        if isinstance(answer, Later):
            self._board.skip_while_asking()
        return answer

    # -- start and end of a run

    def _start(self) -> dict[str, Any]:
        board = self._board
        return {
            "boot_us": board.clock.boot_us,
            "rtc_us": board.rtc.offset_us,
            "virtual": board.clock.is_virtual,
            "itself": f"{board.loopback.prefix}1",
            "machine": board.facts.machine,
            "build": board.facts.name,
            "version": BUILD,
            "chip": {
                "name": board.chip.name,
                "timers": board.chip.timers,
                "pwm_channels": board.chip.pwm_channels,
                "mhz": board.chip.frequencies_mhz,
                "ext0": board.chip.has_ext0,
                "ext1": board.chip.has_ext1,
                "i2c": board.chip.i2c_buses,
                "spi": board.chip.spi_buses,
                "uarts": board.chip.uarts,
                "i2s": board.chip.i2s,
                "sd_slots": board.chip.sd_slots,
                "adc_blocks": board.chip.adc_blocks,
                "adc_pins": sorted(board.chip.adc_pins),
                "limited": board.idf_heap.is_limited,  # whether ESP-IDF's heap is
                "dac_pins": sorted(board.chip.dac_pins),
                "touch_pins": sorted(board.chip.touch_pins),
                "pcnt": board.chip.pcnt_units,
            },
            "stand_ins": board.stand_ins and str(board.stand_ins),
            "marked": board.evidence.marked and str(board.evidence.marked),
            "charts_heap": board.evidence.charts_heap,
            "raw": board.boots_raw,
        }

    def _boot(self, is_heard: bool, heap_used: int) -> bool:
        return self._board.boot_scripts_begin(is_heard, heap_used)

    def _repl(self) -> None:
        self._board.repl_begins()

    def _soft_reset(self) -> Later:
        self._board.soft_reset()
        return Later()  # never: the asker is gone

    def _reset(self) -> Later:
        self._board.hard_reset()
        return Later()

    def _deepsleep(self, time_ms: int | None = None) -> Later:
        self._board.deep_sleep(None if time_ms is None else machine_word(time_ms))
        return Later()

    def _lightsleep(self, time_ms: int | None = None) -> None:
        self._board.log.event("light sleep" + (f" {time_ms} ms" if time_ms is not None else ""))
        self._board.sleep.begin(LIGHT, None if time_ms is None else machine_word(time_ms))

    def _awake(self) -> None:
        self._board.sleep.end()

    def _power_cut(self) -> Later:
        self._board.log.event("power cut inside a flash operation")
        self._board.power_off()
        return Later()

    def _reset_cause(self) -> int:
        return self._board.reset_cause.cause

    def _wake_reason(self) -> int:
        return self._board.sleep.reason

    def _wake_pins(self) -> tuple[int, ...]:
        return self._board.sleep.sources.woken_by

    def _wake_on(self, source: str, *arguments: Any) -> None:
        getattr(self._board.sleep.sources, f"on_{source}")(*arguments)

    # -- console, identity, clock

    def _output(self, data: str) -> Later | None:
        return self._board.terminal.raw_output(bytes.fromhex(data))

    def _second_terminal(self, verb: str, *arguments: Any) -> Any:
        self._board.terminal.drain()
        return getattr(self._board.terminal.second, verb)(*arguments)

    def _uname(self) -> tuple[str, ...]:
        return ("esp32", "esp32", VERSION, f"v{VERSION}", self._board.facts.machine)

    def _unique_id(self) -> str:
        return self._board.mac.hex()

    def _freq(self, hz: int | None = None) -> int:
        if hz is not None:
            self._board.frequency_hz = hz
        return self._board.frequency_hz

    def _clock(self, board_us: int) -> int:
        return self._board.rtc.set_us(board_us)

    def _leap(self, target_us: int | None) -> bool:
        return self._board.clock.leap(target_us)

    def _rtc_memory(self, data: str | None = None) -> str:
        if data is not None:
            self._board.rtc.memory = bytes.fromhex(data)
        return self._board.rtc.memory.hex()

    def _mem_backup(self, address: int) -> None:
        if self._board.child is not None:
            self._board.rtc.show(self._board.child, address)

    def _threads(self) -> None:
        if self._board.child is not None:
            self._board.child.threads_begin()

    def _right(self, has_it: bool) -> None:
        if self._board.child is not None:
            self._board.child.main_thread_has_right(has_it)

    def _run_ends(self) -> None:
        self._board.rtc.run_ends()
        if self._board.evidence.coverage is not None:
            self._board.rarities.ask("cover", "ends")

    def _wdt(self, timeout_ms: int) -> None:
        self._board.watchdog.start(machine_word(timeout_ms))

    def _feed(self) -> None:
        self._board.watchdog.feed()

    # -- pins, storage

    def _pin(self, number: Any, verb: str, *arguments: Any) -> int | str | None:
        if not isinstance(number, int):
            raise Refusal("ValueError", "invalid pin")
        return (
            None
            if verb == "open" and self._board.pins.level(number) is not None
            else (self._board.pins.ask(number, verb, *arguments))
        )

    def _pwm(self, pin: int, freq_hz: int | None = None, duty_u16: int = 0) -> None:
        board = self._board
        board.signals.set_pwm(pin, freq_hz, duty_u16)
        board.log.event(f"pwm on pin {pin}: {board.signals.pwm.get(pin, 'off')}")

    def _bitstream(self, pin: int, timing_ns: list[int], data: str) -> None:
        self._board.signals.streams[pin] = bytes.fromhex(data)
        self._board.log.event(f"bitstream on pin {pin}: {len(data) // 2} bytes")

    def _pulse(self, pin: int) -> tuple[int, float] | None:
        """Frequency and duty of the PWM that a pin sees, its own or through a wire."""
        board = self._board
        for driven, signal in board.signals.pwm.items():
            if board.pins.are_wired(pin, driven):
                return signal.freq_hz, signal.duty
        return None

    def _rmt(self, pin: int, pulses: list[tuple[int, float]]) -> None:
        self._board.signals.pulses[pin] = [(level, us) for level, us in pulses]
        self._board.log.event(f"rmt on pin {pin}: {len(pulses)} pulses")

    def _dac(self, pin: int, value: int) -> None:
        self._board.signals.dac[pin] = 3.3 * value / 255

    def _pcnt(self, unit: int, verb: str, *arguments: Any) -> int | None:
        return self._board.counters.ask(unit, verb, *arguments)

    # -- what hangs on it

    def _onewire(self, pin: int, verb: str, *bits: Any) -> list[int] | bool:
        return self._board.buses.ask_one_wire(pin, verb, *bits)

    def _dht(self, pin: int) -> str:
        return self._board.buses.dht_frame(pin).hex()

    def _touch(self, pin: int) -> int:
        return self._board.buses.touch.get(pin, _UNTOUCHED)

    def _i2c_scan(self) -> list[int]:
        return self._board.buses.i2c_scan()

    def _i2c(self, address: int, written: str, count: int) -> str:
        told = bytes.fromhex(written)
        read = self._board.buses.i2c_transfer(address, told, count)
        for name, data in (
            ("address", bytes([address & 0x7F])),
            ("written", told),
            ("read", read),
        ):
            self._wave(f"i2c_{name}", data)
        return read.hex()

    def _wave(self, name: str, data: bytes) -> None:
        self._board.waves.bytes(name, data, self._board.clock.now_us())

    def _spi(self, number: int, written: str) -> str | None:
        told = bytes.fromhex(written)
        self._wave(f"spi{number}_mosi", told)
        if number not in self._board.buses.spi:
            return None  # nothing hangs there: zeros come in
        read = self._board.buses.spi_transfer(number, told)
        self._wave(f"spi{number}_miso", read)
        return read.hex()

    def _volts(self, pin: int) -> int:
        return round(self._board.buses.volts.get(pin, 0.0) * 1_000_000)

    def _uart(self, number: int, verb: str, argument: Any = None) -> int | str | None:
        line = self._board.buses.uart[number]
        if verb == "any":
            return line.waiting
        if verb == "read":
            taken = line.take(argument)
            self._wave(f"uart{number}_rx", taken)
            return taken.hex()
        if verb == "write":
            self._wave(f"uart{number}_tx", bytes.fromhex(argument))
            self._board.buses.uart_write(number, bytes.fromhex(argument))
        elif verb == "break":
            self._board.buses.uart_break(number)
        elif verb == "irq":
            line.trigger = argument
        elif verb == "pins":
            kept = zip(argument, line.pins, strict=True)
            tx, rx = (old if new is None else new for new, old in kept)
            line.pins = tx, rx
        return None

    def _i2s(self, number: int, verb: str, argument: Any) -> str | None:
        line = self._board.buses.i2s[number]
        if verb == "read":
            return self._board.buses.sound(number, argument).hex()
        line.give(bytes.fromhex(argument))
        return None

    def _sd(self, verb: str, block: int = 0, argument: Any = 0) -> Any:
        card = self._board.buses.sd_card
        if verb == "blocks":
            return len(card) // 512
        at = block * 512
        if verb == "read":
            return bytes(card[at : at + argument * 512]).hex()
        data = bytes.fromhex(argument)
        card[at : at + len(data)] = data
        return None

    def _nvs(self, namespace: str, verb: str, *arguments: Any) -> Any:
        try:
            return self._board.nvs.ask(namespace, verb, *arguments)
        except PowerCut:
            return self._power_cut()

    # -- ESP-IDF's heap

    def _idf_heap_info(self, heap_used: int) -> list[tuple[int, int, int, int]]:
        board = self._board
        board.idf_heap.connections_are(board.tcp_relay.count)
        board.idf_heap.python_uses(heap_used)
        return board.idf_heap.info()

    def _tls(self, what: str, number: int, heap_used: int = 0) -> None:
        heap = self._board.idf_heap
        if what == "end":
            heap.tls_ends(number)
            return
        heap.connections_are(self._board.tcp_relay.count)
        heap.python_uses(heap_used)
        # modtls_mbedtls.c: ENOMEM if mbedtls_ssl_setup has no buffers; later the library's own
        if what == "begin" and not heap.tls_begins(number):
            self._board.log.event(f"no room for the buffers of TLS: {heap}")
            raise Refusal("OSError", _ENOMEM)
        if what == "handshake" and not heap.handshake_fits():
            self._board.log.event(f"no room for a handshake: {heap}")
            raise Refusal("OSError", *_MPI_ALLOC_FAILED)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sensors on single wires, counters, pulses, and voltages: what the program sees, and the host."""

from pathlib import Path

import pytest

from muster_harness import EmulatedBoard
from muster_harness.esp32.parts.one_wire import DHT11, DHT22, DS18B20, rom_code

_THERMOMETERS = """
import onewire, ds18x20
from machine import Pin
bus = ds18x20.DS18X20(onewire.OneWire(Pin(4)))
"""


def test_thermometers_on_one_wire_are_found_and_read(board: EmulatedBoard) -> None:
    codes = [rom_code(0x28, serial) for serial in (1, 0x80, 0x123456789ABC, 0xFFFFFFFFFFFF)]
    sensors = {
        code: DS18B20(celsius) for code, celsius in zip(codes, (21.5, -10.125, 85, 0), strict=True)
    }
    board.buses.one_wire[4].devices.update(sensors)
    board.exec(_THERMOMETERS)
    assert sorted(board.eval("[bytes(rom) for rom in bus.scan()]")) == sorted(codes)
    board.exec("bus.convert_temp()")
    for code, sensor in sensors.items():
        assert board.eval(f"bus.read_temp(bytearray({code!r}))") == sensor.celsius
    sensors[codes[0]].celsius = 22.0
    assert board.eval(f"bus.read_temp(bytearray({codes[0]!r}))") == 21.5  # not converted yet


def test_nobody_on_the_wire_is_noticed(board: EmulatedBoard) -> None:
    board.exec(_THERMOMETERS)
    assert board.eval("bus.scan()") == []
    code = "try:\n    bus.convert_temp()\nexcept onewire.OneWireError:\n    print('nobody')"
    assert board.exec(code) == "nobody\n"


@pytest.mark.parametrize(
    ("kind", "sensor", "seen"),
    [
        ("DHT11", DHT11(21, 40), (21, 40)),
        ("DHT22", DHT22(-3.5, 40.5), (-3.5, 40.5)),
        ("DHT22", DHT22(21.5, 99.9), (21.5, 99.9)),
    ],
)
def test_a_humidity_sensor_is_read(
    board: EmulatedBoard, kind: str, sensor: DHT11 | DHT22, seen: tuple[float, float]
) -> None:
    board.buses.dht[4] = sensor
    board.exec(f"import dht, machine; d = dht.{kind}(machine.Pin(4)); d.measure()")
    assert board.eval("d.temperature(), d.humidity()") == pytest.approx(seen)
    del board.buses.dht[4]
    code = "try:\n    d.measure()\nexcept OSError as e:\n    print(e.errno)"
    assert board.exec(code) == "116\n"


def test_every_edge_is_counted_however_busy_the_program_is(board: EmulatedBoard) -> None:
    board.exec("from machine import Counter, Pin; c = Counter(0, Pin(4, Pin.IN))")
    for _ in range(50):
        board.drive(4, 1)
        board.drive(4, 0)
    assert board.eval("c.value()") == 50


def test_a_counter_tells_of_its_limits(board: EmulatedBoard) -> None:
    board.exec("""
from esp32 import PCNT
from machine import Pin
import time
heard = []
p = PCNT(0, pin=Pin(4, Pin.IN), rising=PCNT.INCREMENT, max=3, threshold0=2)
p.irq(lambda p: heard.append(p), PCNT.IRQ_MAX | PCNT.IRQ_THRESHOLD0)
p.start()
""")
    for _ in range(4):
        board.drive(4, 1)
        board.drive(4, 0)
    assert board.eval("p.value(), len(heard)") == (1, 2)


def test_pulses_volts_and_touches_go_in_and_out(board: EmulatedBoard) -> None:
    board.buses.touch[4] = 120
    board.exec("""
from esp32 import RMT
from machine import DAC, Pin, TouchPad
DAC(Pin(25)).write(255)
r = RMT(0, pin=Pin(18), clock_div=80)
r.write_pulses((1, 20, 300), 0)
""")
    assert board.eval("TouchPad(Pin(4)).read(), r.wait_done(timeout=100)") == (120, True)
    assert board.volts(25) == pytest.approx(3.3)
    assert board.pulses(18) == [(0, 1.0), (1, 20.0), (0, 300.0)]


def test_a_pwm_is_measured_through_a_wire(board: EmulatedBoard) -> None:
    board.wire(4, 5)
    board.exec("from machine import *; p = PWM(Pin(4), freq=1000, duty_u16=16384)")
    assert board.eval("time_pulse_us(Pin(5), 1), time_pulse_us(Pin(5), 0)") == (250, 750)


def test_what_a_chip_lacks_cannot_be_imported(tmp_path: Path) -> None:
    with EmulatedBoard(tmp_path / "c3", facts="ESP32_GENERIC_C3") as board:
        board.power_on()
        board.expect(rb">>> ")
        code = "try:\n    from machine import DAC\nexcept ImportError as e:\n    print(e)"
        assert board.exec(code) == "can't import name DAC\n"
        assert board.exec("import machine; print(hasattr(machine, 'DAC'))") == "False\n"


def test_modules_on_demand_leave_no_trace(board: EmulatedBoard) -> None:
    board.exec("import onewire, _thread, dht, sys, os")
    assert board.eval("sys.path, os.listdir('/')") == (["", ".frozen", "/lib"], ["boot.py"])
    assert board.eval("[n for n in sys.modules if n in ('pin', 'clock', 'native')]") == []
    board.write_file("/ds18x20.py", "print('a file of the program comes first')")
    assert board.exec("import ds18x20") == "a file of the program comes first\n"

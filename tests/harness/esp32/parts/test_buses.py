# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's program finds what a test hangs on the board."""

from collections.abc import Callable
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import RemoteError, RemoteOSError
from muster_harness.esp32.parts.buses import RegisterMap
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.serial_unit import SerialUnit
from muster_harness.wire.repl import REPL

BUS = """
from machine import *
bus, soft = I2C(0, scl=Pin(22), sda=Pin(21)), SoftI2C(Pin(22), Pin(21))
"""


def test_a_register_map_is_read_and_written_as_sensors_are(
    board: EmulatedBoard, repl: REPL
) -> None:
    sensor = board.buses.i2c[0x76] = RegisterMap({0xD0: b"\x60", 0xF7: b"\x65\x5a\xc0"})
    repl.exec(BUS)
    assert repl.eval("(bus.scan(), bus.readfrom_mem(0x76, 0xD0, 1))") == ([0x76], b"\x60")
    repl.exec("b = bytearray(3); bus.readfrom_mem_into(0x76, 0xF7, b)")
    assert repl.eval("bytes(b)") == b"\x65\x5a\xc0"
    assert repl.eval("(soft.writeto(0x76, b'\\xf8', False), soft.readfrom(0x76, 2))") == (
        1,
        b"\x5a\xc0",
    )
    repl.exec("bus.writeto_mem(0x76, 0xF4, b'\\x27'); bus.writevto(0x76, (b'\\xe0', b'\\xb6'))")
    assert (sensor.memory[0xF4], sensor.memory[0xE0]) == (0x27, 0xB6)
    sensor[0xF7] = b"\x80"
    assert repl.eval("bus.readfrom_mem(0x76, 0xF7, 1)") == b"\x80"


def test_a_device_is_any_function_and_a_mistake_in_it_ends_no_board(
    board: EmulatedBoard, repl: REPL
) -> None:
    board.buses.i2c[0x20] = lambda written, count: written[::-1] + bytes(count - len(written))
    repl.exec(BUS)
    assert repl.eval("bus.readfrom_mem(0x20, 0x0102, 3, addrsize=16)") == b"\x02\x01\0"
    with pytest.raises(RemoteOSError, match="ENODEV") as absent:
        repl.exec("bus.writeto(0x21, b'x')")
    assert absent.value.errno == 19
    with pytest.raises(RemoteOSError, match="EIO"):
        repl.exec("bus.writeto(0x20, b'x')")  # it gives a byte that nobody reads
    board.buses.i2c[0x22] = lambda written, count: bytes([1 // count])
    with pytest.raises(RemoteOSError, match="EIO"):
        repl.exec("bus.writeto(0x22, b'x')")
    assert "i2c 0x22: its device raised ZeroDivisionError" in board.log_path.read_text()
    assert repl.eval("6 * 7") == 42


def test_spi_is_an_exchange(board: EmulatedBoard, repl: REPL) -> None:
    board.buses.spi[1] = lambda out: bytes(byte ^ 0xFF for byte in out)
    repl.exec("from machine import SPI; spi = SPI(1, 1_000_000); b = bytearray(2)")
    repl.exec("spi.write_readinto(b'\\x01\\x02', b)")
    assert repl.eval("(bytes(b), spi.read(2, 0x0F))") == (b"\xfe\xfd", b"\xf0\xf0")
    assert repl.eval("SPI(2).read(2)") == b"\0\0"  # nothing is wired to it


def test_a_uart_is_a_stream_that_asyncio_can_read(board: EmulatedBoard, repl: REPL) -> None:
    board.buses.uart[1].feed(b"$GPGGA,1\r\nrest")
    repl.exec("from machine import UART; u = UART(1, 9600, tx=17, rx=16)")
    assert repl.eval("(u.any(), u.readline(), u.read(), u.read())") == (
        14,
        b"$GPGGA,1\r\n",
        b"rest",
        None,
    )
    repl.exec("u.write('AT\\r\\n')")
    assert board.buses.uart[1].sent == b"AT\r\n"
    repl.exec(
        "import asyncio\nasync def read():\n"
        " u.write('ready')\n"
        " print(await asyncio.wait_for(asyncio.StreamReader(u).readline(), 20))"
    )
    board.buses.uart[1].answer = lambda sent: b"OK\n" if sent == b"ready" else b""
    assert repl.exec("asyncio.run(read())") == "b'OK\\n'\n"


def test_an_adc_sees_the_volts_that_a_test_puts_there(board: EmulatedBoard, repl: REPL) -> None:
    board.buses.volts[34] = 1.65
    repl.exec("from machine import ADC, Pin; a = ADC(Pin(34))")
    assert repl.eval("(a.read_uv(), a.read(), a.read_u16())") == (1650000, 2048, 32776)
    repl.exec("a.atten(ADC.ATTN_0DB)")
    assert repl.eval("(a.read_uv(), a.read_u16())") == (1100000, 65535)
    with pytest.raises(RemoteError, match="invalid pin"):
        repl.exec("ADC(Pin(5))")


def test_modules_that_stand_in_are_found_first(tmp_path: Path, air: Air) -> None:
    folder = tmp_path / "shims"
    folder.mkdir()
    (folder / "bme280.py").write_text("class BME280:\n    temperature = 21.5\n")
    with EmulatedBoard(tmp_path / "board", air=air, stand_ins=folder) as board:
        board.power_on()
        board.write_file("/bme280.py", "raise OSError('no such sensor')")
        board.write_file("/main.py", "import bme280\nprint('it is', bme280.BME280.temperature)\n")
        board.reset()
        board.expect(rb"it is 21.5\r\n")
        with pytest.raises(RemoteOSError):
            board.write_file("/.stand-ins/bme280.py", "")


def test_who_has_no_such_buses_says_so(board: EmulatedBoard, tmp_path: Path) -> None:
    ask: Callable[[SerialUnit], object] = lambda unit: unit.buses  # noqa: E731
    with SerialUnit(board.port, tmp_path / "unit.log") as unit:
        assert not unit.can("buses")
        with pytest.raises(Exception, match="has no 'buses'.*run with --hil-board emulated"):
            ask(unit)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sensors on single wires: 1-Wire devices, and humidity sensors of the DHT family."""

from collections.abc import Callable
from dataclasses import dataclass

# Given what the board has written since it has chosen the device, returns what that says then.
OneWireDevice = Callable[[bytes], bytes]

_SEARCH, _READ_ROM, _MATCH, _SKIP = 0xF0, 0x33, 0x55, 0xCC
_CONVERT, _READ_SCRATCH, _WRITE_SCRATCH = 0x44, 0xBE, 0x4E
_ROM_BITS = 64


def crc8(data: bytes) -> int:
    """The check byte of Maxim's 1-Wire devices (application note 27)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


def rom_code(family: int, serial: int) -> bytes:
    """The eight bytes that name a device, e.g. of family 0x28 for a DS18B20."""
    plain = bytes([family]) + serial.to_bytes(6, "little")
    return plain + bytes([crc8(plain)])


class DS18B20:
    """A thermometer. `celsius` may be changed at any time; a conversion takes it over."""

    def __init__(self, celsius: float = 20.0) -> None:
        self.celsius = celsius
        self._scratch = bytearray(b"\x50\x05\x4b\x46\x7f\xff\x0c\x10")  # 85 degrees: never asked

    def __call__(self, written: bytes) -> bytes:
        if written[:1] == bytes([_CONVERT]) and len(written) == 1:
            self._scratch[:2] = round(self.celsius * 16).to_bytes(2, "little", signed=True)
            return b"\xff"
        if written[:1] == bytes([_WRITE_SCRATCH]):
            self._scratch[2 : 2 + len(written) - 1] = written[1:4]
        if written[:1] == bytes([_READ_SCRATCH]):
            return bytes(self._scratch) + bytes([crc8(bytes(self._scratch))])
        return b""


@dataclass
class DHT11:
    """Whole degrees and percents."""

    celsius: float
    humidity: float

    def frame(self) -> bytes:
        data = bytes([int(self.humidity), 0, int(self.celsius), 0])
        return data + bytes([sum(data) & 0xFF])


@dataclass
class DHT22:
    """Tenths of degrees and percents."""

    celsius: float
    humidity: float

    def frame(self) -> bytes:
        tenths = round(abs(self.celsius) * 10) | (0x8000 if self.celsius < 0 else 0)
        data = round(self.humidity * 10).to_bytes(2, "big") + tenths.to_bytes(2, "big")
        return data + bytes([sum(data) & 0xFF])


class OneWireBus:
    """The devices on one pin by their `rom_code`. Bits go as on the wire: a zero is heard."""

    def __init__(self) -> None:
        self.devices: dict[bytes, OneWireDevice] = {}
        self._forget()

    def _forget(self) -> None:
        self._chosen: list[bytes] = list(self.devices)
        self._written: list[int] = []  # bits since the reset, or since a device was chosen
        self._command: int | None = None
        self._said: list[int] = []  # bits that are still to be read
        self._asked = 0  # bits of a search so far, three to each bit of the code

    def reset(self) -> bool:
        """Reset the bus and tell whether anybody is there."""
        self._forget()
        return bool(self.devices)

    def write(self, bit: int) -> None:
        if self._command == _SEARCH:
            place = self._asked // 3
            self._chosen = [code for code in self._chosen if _bit(code, place) == bit]
            self._asked += 1
            return
        self._written.append(bit)
        whole = _bytes(self._written)
        if len(self._written) % 8:
            return
        if self._command is None:
            self._command = whole[0]
            self._written = []
            if self._command == _READ_ROM:
                self._say(self._chosen[0] if len(self._chosen) == 1 else b"\0" * 8)
        elif self._command == _MATCH and len(whole) == 8:
            self._chosen = [code for code in self._chosen if code == whole]
            self._command, self._written = _SKIP, []
        elif self._command == _SKIP:
            answers = [self.devices[code](whole) for code in self._chosen]
            longest = max(map(len, answers), default=0)
            said = bytearray(b"\xff" * longest)
            for answer in answers:  # who says nothing leaves the wire high
                for i, byte in enumerate(answer):
                    said[i] &= byte
            self._say(bytes(said))

    def _say(self, data: bytes) -> None:
        self._said = [byte >> n & 1 for byte in data for n in range(8)]

    def read(self) -> int:
        if self._command == _SEARCH:
            place, part = divmod(self._asked, 3)
            self._asked += 1
            bits = [_bit(code, place) for code in self._chosen if place < _ROM_BITS]
            return int(all(bits if part == 0 else [1 - bit for bit in bits]))
        return self._said.pop(0) if self._said else 1


def _bit(code: bytes, place: int) -> int:
    return code[place // 8] >> place % 8 & 1


def _bytes(bits: list[int]) -> bytes:
    whole = len(bits) // 8
    return bytes(sum(bits[8 * i + n] << n for n in range(8)) for i in range(whole))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The serial loader in the ROM of an ESP32, for esptool.

The protocol is Espressif's "Serial Protocol" (esptool documentation, advanced topics). The stub
that esptool uploads is machine code, so it is not run but answered for. What is written to flash
lies in `flash`.
"""

import hashlib
import struct
import threading
import zlib
from collections.abc import Callable

from muster_harness.errors import BoardError

_END, _ESCAPE = b"\xc0", b"\xdb"
_SYNC, _READ_REGISTER, _SECURITY = 0x08, 0x0A, 0x14
_MEMORY_END = 0x06
_BEGIN, _DATA, _PACKED_BEGIN, _PACKED_DATA, _MD5 = 0x02, 0x03, 0x10, 0x11, 0x13
_ERASE_FLASH, _ERASE_REGION, _READ_FLASH = 0xD0, 0xD1, 0xD2
_MAGIC_REGISTER, _SPI_RESULT = 0x40001000, 0x3FF42080
_CHIPS = {"esp32": 0x00F01D83, "esp32s2": 0x000007C6}  # esptool/targets, MAGIC_VALUE
_CLOCK_DIVIDER = 0x3FF40014  # of UART0: 40 MHz by 115200
_MAC_LOW, _MAC_HIGH = 0x3FF5A004, 0x3FF5A008  # in the efuses of an ESP32
_FLASH_MAKER = 0x40EF
_FLASH_BYTES = 4 << 20
IMAGE_AT, IMAGE_BEGINS = (
    0x1000,
    0xE9,
)  # where the ROM looks for the boot loader, and its first byte
_SYNCED = 0x20120707  # anything but 0, which is the stub's
_UNKNOWN = b"\x01\x05"  # status: failed, because the message is invalid
_OK = b"\x00\x00"
_WAITS = b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\n"


class ROMLoader:
    """One chip in download mode; bytes in by `take`, bytes out by `say`.

    Raises BoardError for a chip whose ROM is not known here.
    """

    def __init__(
        self,
        say: Callable[[bytes], None],
        chip: str = "esp32",
        flash_bytes: int = _FLASH_BYTES,
        mac: bytes = bytes(6),
    ) -> None:
        if chip not in _CHIPS:
            raise BoardError(
                f"the ROM loader of an {chip} is not emulated; there are {', '.join(_CHIPS)}"
            )
        self.flash = bytearray(b"\xff" * flash_bytes)
        self._registers = {
            _MAGIC_REGISTER: _CHIPS[chip],
            _SPI_RESULT: (flash_bytes - 1).bit_length() << 16 | _FLASH_MAKER,
            _CLOCK_DIVIDER: 40_000_000 // 115_200,
            _MAC_LOW: int.from_bytes(mac[2:], "big"),
            _MAC_HIGH: int.from_bytes(mac[:2], "big"),
        }
        self.is_worn = False  # takes what is written, and does not keep it
        self.on_erase: Callable[[], None] | None = None  # told when all of it is erased
        self._say = say
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        """Begin as after a reset into download mode."""
        self._frame = b""
        self._is_stub = False
        self._at = 0
        self._unpacker = zlib.decompressobj()
        self._say(_WAITS + b"waiting for download\r\n")

    @property
    def has_image(self) -> bool:
        """Tell whether a boot loader's magic byte lies where the ROM looks."""
        return self.flash[IMAGE_AT] == IMAGE_BEGINS

    def take(self, data: bytes) -> None:
        with self._lock:
            self._frame += data
            while (end := self._frame.find(_END)) >= 0:
                frame, self._frame = self._frame[:end], self._frame[end + 1 :]
                frame = frame.replace(_ESCAPE + b"\xdc", _END).replace(_ESCAPE + b"\xdd", _ESCAPE)
                if len(frame) >= 8 and frame[0] == 0:
                    self._obey(frame[1], frame[8:])

    def _obey(self, command: int, data: bytes) -> None:
        value, answer = (_SYNCED if command == _SYNC else 0), b""
        if command == _SECURITY:
            self._answer(command, 0, _UNKNOWN)
            return
        if command == _READ_REGISTER:
            value = self._register(struct.unpack("<I", data[:4])[0])
        elif command in (_BEGIN, _PACKED_BEGIN):
            self._at = struct.unpack("<4I", data[:16])[3]
            self._unpacker = zlib.decompressobj()
        elif command == _DATA:
            self._write(data[16:])
        elif command == _PACKED_DATA:
            self._write(self._unpacker.decompress(data[16:]))
        elif command in (_ERASE_FLASH, _ERASE_REGION):
            at, size = struct.unpack("<2I", data) if data else (0, len(self.flash))
            self.flash[at : at + size] = b"\xff" * size
            if command == _ERASE_FLASH and self.on_erase:
                self.on_erase()
        elif command == _MD5:
            at, size = struct.unpack("<2I", data[:8])
            digest = hashlib.md5(self.flash[at : at + size], usedforsecurity=False)
            answer = digest.digest() if self._is_stub else digest.hexdigest().encode()
        for _ in range(8 if command == _SYNC else 1):
            self._answer(command, value, answer + _OK)
        if command == _MEMORY_END and struct.unpack("<2I", data)[1]:
            self._is_stub = True
            self._send(b"OHAI")
        if command == _READ_FLASH:
            self._tell(*struct.unpack("<3I", data[:12]))

    def _tell(self, at: int, size: int, block: int) -> None:
        """Say what lies in a part of the flash; that the other side says it has got it is heard
        and not waited for."""
        content = self.flash[at : at + size]
        for start in range(0, size, max(1, block)):
            self._send(bytes(content[start : start + max(1, block)]))
        self._send(hashlib.md5(content, usedforsecurity=False).digest())

    def _register(self, address: int) -> int:
        return self._registers.get(address, 0)

    def _write(self, data: bytes) -> None:
        if not self.is_worn:
            self.flash[self._at : self._at + len(data)] = data
        self._at += len(data)

    def _answer(self, command: int, value: int, data: bytes) -> None:
        padding = b"" if self._is_stub else b"\0\0"
        data += padding
        self._send(struct.pack("<BBHI", 1, command, len(data), value) + data)

    def _send(self, packet: bytes) -> None:
        packet = packet.replace(_ESCAPE, _ESCAPE + b"\xdd").replace(_END, _ESCAPE + b"\xdc")
        self._say(_END + packet + _END)

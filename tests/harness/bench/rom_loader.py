# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A bare ESP32 on a desk, for esptool: its ROM's serial loader, and the reset circuit around it.

The protocol is Espressif's "Serial Protocol" (esptool documentation, advanced topics). The stub
that esptool uploads is machine code, so it is not run but answered for. What is written to flash
lies in `flash`; a chip that is reset with an image in it becomes the emulated board.
"""

import hashlib
import struct
import threading
import zlib
from collections.abc import Callable

_END, _ESCAPE = b"\xc0", b"\xdb"
_SYNC, _READ_REGISTER, _SECURITY = 0x08, 0x0A, 0x14
_MEMORY_END = 0x06
_BEGIN, _DATA, _PACKED_BEGIN, _PACKED_DATA, _MD5 = 0x02, 0x03, 0x10, 0x11, 0x13
_ERASE_FLASH, _ERASE_REGION = 0xD0, 0xD1
_MAGIC_REGISTER, _SPI_RESULT = 0x40001000, 0x3FF42080
_CHIPS = {"esp32": 0x00F01D83, "esp32s2": 0x000007C6}  # esptool/targets, MAGIC_VALUE
_FLASH_ID = 0x1640EF  # 4 MiB
_FLASH_BYTES = 4 << 20
_SYNCED = 0x20120707  # anything but 0, which is the stub's
_UNKNOWN = b"\x01\x05"  # status: failed, because the message is invalid
_OK = b"\x00\x00"
_WAITS = b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))\r\n"


class ROMLoader:
    """One chip in download mode; bytes in by `take`, bytes out by `say`."""

    def __init__(self, say: Callable[[bytes], None], chip: str = "esp32") -> None:
        self.flash = bytearray(b"\xff" * _FLASH_BYTES)
        self.is_worn = False  # takes what is written, and does not keep it
        self.on_erase: Callable[[], None] | None = None  # told when all of it is erased
        self._say = say
        self._chip = chip
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
        return self.flash[0x1000] == 0xE9

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
            at, size = struct.unpack("<2I", data) if data else (0, _FLASH_BYTES)
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

    def _register(self, address: int) -> int:
        return {_MAGIC_REGISTER: _CHIPS[self._chip], _SPI_RESULT: _FLASH_ID}.get(address, 0)

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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An emulated board with the reset circuit of a development board, and its ROM's loader."""

import contextlib
import threading

import serial

from muster_harness.esp32.parts.flash import FlashContent
from muster_harness.esp32.rom_loader import IMAGE_AT, IMAGE_BEGINS, ROMLoader
from muster_harness.units.emulated import EmulatedBoard

_EMPTY = b"invalid header: 0xffffffff\r\n" * 3
_NVS_AT, _NVS_BYTES = 0x9000, 0x6000  # ports/esp32/partitions-4MiB.csv
_FILES_AT = 0x200000
_NO_NVS = b"{}"


class DevelopmentBoard:
    """The board at the end of a serial line with modem lines, with the face of pyserial's ports.

    The reset circuit is that of Espressif's boards: RTS alone pulls EN low, DTR alone GPIO0. A
    chip without an image does not boot. Raises BoardError for a chip whose ROM is not known.
    """

    cts = dsr = cd = True
    ri = False

    def __init__(
        self, emulated: EmulatedBoard, *, is_flashed: bool = True, chip: str | None = None
    ) -> None:
        self.emulated = emulated
        self._said = b""
        self._lock = threading.Lock()
        size = _FILES_AT + emulated.facts.filesystem_bytes
        self.rom = ROMLoader(self._say, chip or emulated.facts.mcu, size, emulated.mac)
        self.rom.on_erase = emulated.erase_flash
        if is_flashed:
            self.rom.flash[IMAGE_AT] = IMAGE_BEGINS
        self._said = b"" if is_flashed else _EMPTY
        self._line: serial.Serial | None = None
        self._dtr = self._rts = False
        self._is_in_reset = self._is_loading = False
        self._taken = (b"", b"")  # filesystem and NVS, as the loader found them
        # All speeds and forms are the same here.
        self.baudrate, self.bytesize, self.parity, self.stopbits = 115200, 8, "N", 1
        self.xonxoff = self.rtscts = self.break_condition = False
        if emulated.is_on:
            self._listen()

    def __enter__(self) -> "DevelopmentBoard":
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: a client that has gone leaves the board as it is."""

    def press_reset(self, with_boot: bool = False) -> None:
        """By hand, with or without the other hand on BOOT."""
        self._start(into_loader=with_boot)

    def reset_input_buffer(self) -> None:
        pass

    def reset_output_buffer(self) -> None:
        pass

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, value: bool) -> None:
        self._rts = value
        self._lines_changed()

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, value: bool) -> None:
        self._dtr = value
        self._lines_changed()

    def _lines_changed(self) -> None:
        if self._rts and not self._dtr:
            self._is_in_reset = True
        elif self._is_in_reset and not self._rts:  # both at once: EN's capacitor still holds
            self._is_in_reset = False
            self._start(into_loader=self._dtr)

    def _start(self, into_loader: bool) -> None:
        self._close()
        if self._is_loading:
            self._put_flash()
        self._is_loading = into_loader
        self.emulated.power_off()
        if into_loader:  # MicroPython does not run
            self._take_flash()
            self.rom.start()
        elif self.rom.has_image:
            self.emulated.power_on()
            self._listen()
        else:
            self._say(_EMPTY)

    def _listen(self) -> None:
        self._line = serial.Serial(self.emulated.port, timeout=0)

    # The filesystem lies in the flash as it is; of NVS it is seen only whether it is blank.
    def _take_flash(self) -> None:
        kept = self.emulated.read_flash()
        self._put_into(_FILES_AT, kept.image)
        filler = b"\xff" if kept.nvs == _NO_NVS else b"\x00"
        self._put_into(_NVS_AT, filler * _NVS_BYTES)
        self._taken = self._seen()

    def _put_into(self, at: int, content: bytes) -> None:
        self.rom.flash[at : at + len(content)] = content

    def _seen(self) -> tuple[bytes, bytes]:
        flash = self.rom.flash
        return bytes(flash[_FILES_AT:]), bytes(flash[_NVS_AT : _NVS_AT + _NVS_BYTES])

    def _put_flash(self) -> None:
        image, nvs = self._seen()
        kept = self.emulated.read_flash()
        is_erased = nvs != self._taken[1] and nvs == b"\xff" * _NVS_BYTES
        if image != self._taken[0] or is_erased:
            content = FlashContent(image, _NO_NVS if is_erased else kept.nvs)
            self.emulated.write_flash(content)

    def _close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _say(self, data: bytes) -> None:
        with self._lock:
            self._said += data

    def read(self, size: int) -> bytes:
        with self._lock:
            said, self._said = self._said, b""
        if self._line is not None:
            with contextlib.suppress(OSError):
                said += self._line.read(size)
        return said

    def write(self, data: bytes) -> None:
        if self._line is not None:
            self._line.write(data)
        elif self._is_loading:
            self.rom.take(data)

    def close(self) -> None:
        self._close()

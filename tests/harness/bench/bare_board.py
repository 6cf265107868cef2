# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A development board as it comes out of its box, at the end of a serial line with modem lines."""

import contextlib
import os
import pty
import select
import threading
import tty

import serial

from muster_harness.units.emulated import EmulatedBoard
from tests.harness.bench.rom_loader import ROMLoader

_LOOK_S = 0.005
_END_S = 10.0
_EMPTY = b"invalid header: 0xffffffff\r\n" * 3


class BareBoard:
    """Stands where rfc2217_server has an opened serial port, so esptool and mpremote reach it.

    The reset circuit is that of Espressif's boards: RTS alone pulls EN low, DTR alone GPIO0.
    """

    cts = dsr = cd = True
    ri = False

    def __init__(self, emulated: EmulatedBoard, chip: str = "esp32") -> None:
        self.emulated = emulated
        self._said = b""
        self._lock = threading.Lock()
        self.rom = ROMLoader(self._say, chip)
        self.rom.on_erase = emulated.erase_flash
        self._line: serial.Serial | None = None
        self._dtr = self._rts = False
        self._is_in_reset = self._is_loading = False
        self._said = _EMPTY
        # All speeds and forms are the same here.
        self.baudrate, self.bytesize, self.parity, self.stopbits = 115200, 8, "N", 1
        self.xonxoff = self.rtscts = self.break_condition = False

    def __enter__(self) -> "BareBoard":
        return self

    def __exit__(self, *_: object) -> None:
        pass  # a client that has gone leaves the board as it is

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
        self._is_loading = into_loader
        if into_loader:
            self.emulated.power_off()  # MicroPython does not run
            self.rom.start()
        elif self.rom.has_image:
            self.emulated.power_off()
            self.emulated.power_on()
            self._line = serial.Serial(self.emulated.port, timeout=0)
        else:
            self._say(_EMPTY)

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


class BareBoardPort:
    """The same board behind a pty, which has no modem lines: somebody has to press its buttons."""

    def __init__(self, board: BareBoard) -> None:
        self._board = board
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._is_open = True
        self._thread = threading.Thread(target=self._relay, daemon=True)

    def __enter__(self) -> "BareBoardPort":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
        self._thread.join(_END_S)
        assert not self._thread.is_alive(), "the relay of this board has not ended"
        self._board.close()
        os.close(self._ours)
        os.close(self._theirs)

    def _relay(self) -> None:
        while self._is_open:
            if select.select([self._ours], [], [], _LOOK_S)[0]:
                self._board.write(os.read(self._ours, 4096))
            if said := self._board.read(4096):
                os.write(self._ours, said)

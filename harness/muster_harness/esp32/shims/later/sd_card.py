# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.SDCard: blocks of a card that the test has put in (parts/buses.py).

from binascii import hexlify, unhexlify

import host_link
from arguments import integer
from micropython import const
from pin import number

_BYTES = const(512)
_EIO = const(-5)
_TIMED_OUT = -0x107, "ESP_ERR_TIMEOUT"


class SDCard:
    def __init__(self, *, slot=1, width=1, freq=20000000, **pins):
        is_sdmmc = slot < 2
        if not host_link.chip["sd_slots"][0] <= integer(slot) <= host_link.chip["sd_slots"][1]:
            raise ValueError("invalid slot number")
        for name, pin in pins.items():
            if name not in ("cd", "wp", "miso", "mosi", "sck", "cs", "cmd", "data"):
                raise TypeError("extra keyword arguments given")
            if is_sdmmc and name in ("miso", "mosi", "cs"):
                raise ValueError("invalid config: SDMMC slot with SPI pin arguments")
            if not is_sdmmc and name in ("cmd", "data"):
                raise ValueError("invalid config: SPI slot with SDMMC pin arguments")
            if pin is not None and name != "data":
                number(pin)
        if is_sdmmc and width not in (1, 4) and (width, slot) != (8, 0):
            raise ValueError("width must be 1 or 4 (or 8 on slot 0)")
        integer(freq)
        self._is_open = True

    def _blocks(self):
        return host_link.request("sd", "blocks") if self._is_open else 0

    def info(self):
        blocks = self._blocks()
        if not blocks:
            raise OSError(*_TIMED_OUT)
        return blocks * _BYTES, _BYTES

    # False without a card; else nought, or what went wrong.
    def _cannot(self, block, size):
        blocks = self._blocks()
        if not blocks:
            return False
        return 0 if 0 <= integer(block) <= blocks - size // _BYTES else _EIO

    def readblocks(self, block_num, buf):
        view = memoryview(buf)
        why = self._cannot(block_num, len(view))
        if why is 0:  # noqa: F632 (False is none)
            view[:] = unhexlify(host_link.request("sd", "read", block_num, len(view) // _BYTES))
        return why

    def writeblocks(self, block_num, buf):
        view = memoryview(buf)
        why = self._cannot(block_num, len(view))
        if why is 0:  # noqa: F632
            host_link.request("sd", "write", block_num, hexlify(view))
        return why

    def ioctl(self, op, arg):
        blocks = self._blocks()
        if op == 1:
            return 0 if blocks else -1
        if op in (2, 3):
            return 0
        if op == 4:
            return blocks or -1
        return _BYTES if op == 5 and blocks else -1

    def deinit(self):
        self._is_open = False

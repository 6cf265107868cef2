# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The flash chip: a file in 4096-byte blocks behind the block device interface that LittleFS uses,
# and a page shared with the supervisor that counts erases and programs and can cut the power.
# Nothing here allocates: finalisers close files while the heap is locked.

from array import array

import host_link
from micropython import const

BLOCK = 4096
_IMAGE_FD = const(4)
_PAGE_FD = const(5)

_image = open(_IMAGE_FD, "r+b")  # noqa: SIM115 (open as long as the board runs)
_page = open(_PAGE_FD, "r+b")  # noqa: SIM115
# operations done, operation to cut at (0: none), how, bytes, end of the log (0: none)
_head = array("I", (0, 0, 0, 0, 0))
_entry = array("I", (0, 0, 0))  # of the log: kind, where it starts, how much data follows
_ERASED = b"\xff" * 512
_BEFORE = const(0)
_AFTER = const(2)
_PROGRAM = const(0)
_ERASE = const(1)


# Counts an operation, and keeps it if the page records; true if the power is to be cut in it.
def _is_cut(kind, start, size, data):
    _page.seek(0)
    _page.readinto(_head)
    _head[0] += 1
    if _head[4]:
        _entry[0] = kind
        _entry[1] = start
        _entry[2] = size
        _page.seek(_head[4])
        _page.write(_entry)
        if size:
            _page.write(data)
        _head[4] += 12 + size
    _page.seek(0)
    _page.write(_head)
    return _head[0] == _head[1]


def _program(start, data):
    _image.seek(start)
    _image.write(data)


# The operation in which the power goes: all, a part or nothing of it. The supervisor ends the
# board inside request().
def _last(start, data):
    if _head[2] == _AFTER:
        _program(start, data)
    elif _head[2] != _BEFORE:
        _program(start, data[: _head[3]])
    host_link.request("power_cut")


class Device:
    def __init__(self, blocks):
        self._blocks = blocks

    def readblocks(self, block, buf, offset=0):
        _image.seek(block * BLOCK + offset)
        _image.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            self._erase(block)
            offset = 0
        start = block * BLOCK + offset
        if _is_cut(_PROGRAM, start, len(buf), buf):
            _last(start, bytes(buf))
        _program(start, buf)

    def _erase(self, block):
        start = block * BLOCK
        if _is_cut(_ERASE, start, 0, None):
            _last(start, b"\xff" * BLOCK)
        _image.seek(start)
        for _ in range(8):
            _image.write(_ERASED)

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return BLOCK
        if op == 6:
            self._erase(arg)
        return 0

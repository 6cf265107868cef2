# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The flash chip: a file in 4096-byte blocks behind the block device interface that LittleFS uses,
# and a page shared with the supervisor that counts erases and programs and can cut the power.

import struct

import supervisor

BLOCK = 4096
_IMAGE_FD = 4
_PAGE_FD = 5

_image = open(_IMAGE_FD, "r+b")  # noqa: SIM115 (open as long as the board runs)
_page = open(_PAGE_FD, "r+b")  # noqa: SIM115
_head = bytearray(16)  # operations done, operation to cut at (0: none), how, bytes
_ERASED = b"\xff" * 512
_BEFORE = 0
_AFTER = 2


# Runs before and after each operation; the supervisor kills the board inside request().
def _operation(write, n):
    _page.seek(0)
    _page.readinto(_head)
    done, cut_at, how, length = struct.unpack("<IIII", _head)
    done += 1
    struct.pack_into("<I", _head, 0, done)
    _page.seek(0)
    _page.write(_head)
    if done != cut_at:
        write(n)
        return
    if how != _BEFORE:
        write(n if how == _AFTER else min(length, n))
    supervisor.request("power_cut")


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

        def program(n):
            _image.seek(start)
            _image.write(buf if n == len(buf) else memoryview(buf)[:n])

        _operation(program, len(buf))

    def _erase(self, block):
        def erase(n):
            _image.seek(block * BLOCK)
            while n > 0:
                n -= _image.write(_ERASED)

        _operation(erase, BLOCK)

    def ioctl(self, op, arg):
        if op == 4:
            return self._blocks
        if op == 5:
            return BLOCK
        if op == 6:
            self._erase(arg)
        return 0

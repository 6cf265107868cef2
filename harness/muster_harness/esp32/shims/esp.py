# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# esp: what an application may touch without harm, and the flash by its addresses: of it, the data
# partition holds something, the rest reads as erased.

from micropython import const

LOG_NONE = 0
LOG_ERROR = 1
LOG_WARN = 2
LOG_WARNING = 2
LOG_INFO = 3
LOG_DEBUG = 4
LOG_VERBOSE = 5

_SIZE = const(0x400000)
_USER = const(0x200000)
_BLOCK = const(4096)


def osdebug(level, log_level=LOG_INFO):
    pass


def flash_size():
    return _SIZE


def flash_user_start():
    return _USER


# Pieces of a range by blocks of the data partition: block (None outside), place in it, from, to.
def _pieces(at, count):
    if not 0 <= at <= _SIZE - count:
        raise OSError(5)
    done = 0
    while done < count:
        inside = (at + done) % _BLOCK
        size = min(_BLOCK - inside, count - done)
        block = (at + done - _USER) // _BLOCK
        yield (None if block < 0 else block), inside, done, done + size
        done += size


def _data():
    import esp32

    return esp32.Partition("vfs")


def flash_read(byte_offset, length_or_buffer):
    view = memoryview(length_or_buffer)
    data = _data()
    for block, inside, start, end in _pieces(byte_offset, len(view)):
        if block is None:
            view[start:end] = b"\xff" * (end - start)
        else:
            data.readblocks(block, view[start:end], inside)


# As flash does: bits go from one to nought only.
def flash_write(byte_offset, bytes):
    view = memoryview(bytes)
    data = _data()
    for block, inside, start, end in _pieces(byte_offset, len(view)):
        if block is None:
            raise OSError(5)
        held = bytearray(end - start)
        data.readblocks(block, held, inside)
        for n in range(end - start):
            held[n] &= view[start + n]
        data.writeblocks(block, held, inside)


def flash_erase(sector_no):
    for block, _, _, _ in _pieces(sector_no * _BLOCK, _BLOCK):
        if block is None:
            raise OSError(5)
        _data().ioctl(6, block)

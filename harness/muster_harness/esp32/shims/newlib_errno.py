# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The ESP32's (newlib's) error numbers.

import struct
import sys

from native import builtin

EPERM = 1
ENOENT = 2
EIO = 5
EBADF = 9
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EEXIST = 17
ENODEV = 19
EISDIR = 21
EINVAL = 22
EOPNOTSUPP = 95
ECONNRESET = 104
ENOBUFS = 105
ECONNREFUSED = 111
EADDRINUSE = 112
ECONNABORTED = 113
ETIMEDOUT = 116
EHOSTUNREACH = 118
EINPROGRESS = 119
EALREADY = 120
ENOTCONN = 128

_NAMES = {k: v for k, v in globals().items() if isinstance(v, int)}
errorcode = {v: k for k, v in _NAMES.items()}


# The compiler of the board folds `errno.ETIMEDOUT` into a number while it compiles, and takes it
# from the host's table, which no module of ours can shadow; exceptions find their names there too.
# So the numbers in that table are changed, in this process's private memory, before any program is
# compiled. False where the kernel forbids that: then this module stands in for the built-in, and
# only what the board itself compiles sees Linux's numbers.
def adopt():
    if sys.maxsize >> 32 == 0:
        return False
    table = builtin("errno").__dict__
    try:
        with open("/proc/self/mem", "r+b") as memory:
            _renumber(memory, table, 1, lambda name, number: (number, _NAMES.get(name, number)))
            codes = table["errorcode"]
            _renumber(memory, codes, 0, lambda old, name: (old, _NAMES.get(name, old)))
        return True
    except OSError:
        return False


# A dict of the interpreter is (type, used << 3 | flags, size, entries); an entry is key and value,
# a small integer n is n << 1 | 1. `column` says which of the two is the number.
def _renumber(memory, table, column, change):
    memory.seek(id(table))
    _, used, _, entries = struct.unpack("<QQQQ", memory.read(32))
    for i, item in enumerate(list(table.items())[: used >> 3]):
        old, new = change(*item)
        if not isinstance(old, int) or old == new:
            continue
        at = entries + 16 * i + 8 * column
        memory.seek(at)
        if struct.unpack("<Q", memory.read(8))[0] == old << 1 | 1:
            memory.seek(at)
            memory.write(struct.pack("<Q", new << 1 | 1))

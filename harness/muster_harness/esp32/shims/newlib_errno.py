# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The ESP32's (newlib's) error numbers.

import sys

import fixed_tables
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
# So the numbers in that table are changed before any program is compiled.
def adopt():
    module = builtin("errno")
    table, codes = module.__dict__, module.errorcode
    numbers = {k: (k, _NAMES[k]) for k in table if table[k] != _NAMES.get(k, table[k])}
    fixed_tables.alter_module(module, numbers)
    try:
        fixed_tables.alter(codes, {k: (_NAMES[v], v) for k, v in codes.items() if v in _NAMES})
    except OSError:  # then only the module tells an ESP32's numbers
        sys.modules["errno"].errorcode = errorcode

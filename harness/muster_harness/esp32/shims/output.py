# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A stdout whose buffer goes out without LF becoming CR LF.

import io
from binascii import hexlify

import host_link
from arguments import integer


class FileIO(io.IOBase):
    # sys.stdout.buffer; through the supervisor, because the console's pipe is translated
    def write(self, buf, *bounds):
        if bounds:
            off, n = bounds if len(bounds) == 2 else (0, bounds[0])
            buf = memoryview(buf)[off : off + n]
        host_link.request("output", hexlify(buf))
        return len(buf)

    def ioctl(self, request, arg):
        return arg & 4 if request == 3 else -22


class TextIOWrapper(io.IOBase):
    def __init__(self, native):
        self._native = native
        self.buffer = FileIO()

    def write(self, buf):
        return self._native.write(buf)

    def ioctl(self, request, arg):
        return arg & 4 if request == 3 else -22


# An interpreter for hosts keeps room for it always.
def alloc_emergency_exception_buf(size):
    integer(size)

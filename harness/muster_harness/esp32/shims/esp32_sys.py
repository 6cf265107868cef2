# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# sys as an ESP32 shows it, and a stdout whose buffer goes out without LF becoming CR LF.

import io
import sys
from binascii import hexlify
from collections import namedtuple

import host_link
from native import print_exception


class _RawOutput(io.IOBase):
    # sys.stdout.buffer; through the supervisor, because the console's pipe is translated
    def write(self, buf, *bounds):
        if bounds:
            off, n = bounds if len(bounds) == 2 else (0, bounds[0])
            buf = memoryview(buf)[off : off + n]
        host_link.request("output", hexlify(buf))
        return len(buf)

    def ioctl(self, request, arg):
        return arg & 4 if request == 3 else -22


class _Output(io.IOBase):
    def __init__(self, native):
        self._native = native
        self.buffer = _RawOutput()

    def write(self, buf):
        return self._native.write(buf)

    def ioctl(self, request, arg):
        return arg & 4 if request == 3 else -22


class Sys:
    def __init__(self, machine):
        self.platform = "esp32"
        self.argv = []
        self.byteorder = sys.byteorder
        self.maxsize = sys.maxsize
        self.version = sys.version
        self.version_info = sys.version_info
        self.path = sys.path
        self.modules = sys.modules
        self.stdin = sys.stdin
        self.stdout = _Output(sys.stdout)
        self.stderr = sys.stderr
        self.exit = sys.exit
        self.print_exception = print_exception
        fields = ("name", "version", "_machine", "_mpy", "_build")
        # _mpy names no architecture: this interpreter cannot run Xtensa code
        self.implementation = namedtuple("implementation", fields)(
            "micropython", sys.implementation.version, machine, 6 | 3 << 8, "EMULATED"
        )

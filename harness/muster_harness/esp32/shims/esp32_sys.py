# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# sys, micropython and vfs as an ESP32 shows them: the interpreter's own modules, with what differs
# changed, and a stdout whose buffer goes out without LF becoming CR LF.

import io
import sys
import time
from binascii import hexlify
from collections import namedtuple

import fixed_tables
import host_link
import micropython
import vfs
from arguments import integer
from native import builtin, print_exception

_host_ns = builtin("time").time_ns


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
def _alloc_emergency_exception_buf(size):
    integer(size)


def _implementation(machine, build):
    fields = ("name", "version", "_machine", "_mpy", "_build", "_thread")
    # _mpy names no architecture: this interpreter cannot run Xtensa code
    return namedtuple("implementation", fields)(
        "micropython", sys.implementation.version, machine, 6 | 3 << 8, build, "GIL"
    )


# Files are stamped in C, by the host's clock: stat() of a filesystem tells when that was by the
# board's, as it goes now.
def _stat_of(filesystem):
    stat = filesystem.stat

    def dated(self, path):
        found = stat(self, path)
        if not found[8]:
            return found
        ago = (_host_ns() - time.time_ns() + 500000000) // 1000000000
        when = max(0, found[8] - ago)
        return found[:7] + (when, when, when)

    fixed_tables.alter(filesystem.__dict__, {"stat": ("stat", dated)})
    return dated


# Returns what has to be kept alive.
def adopt(settings):
    sys.argv[:] = []
    new = {
        "platform": "esp32",
        "version": "3.4.0; MicroPython " + settings["version"],
        "implementation": _implementation(settings["machine"], settings["build"]),
        "stdout": TextIOWrapper(sys.stdout),
        "print_exception": print_exception,
    }
    changes = {name: (name, value) for name, value in new.items()}
    changes["atexit"] = changes["exc_info"] = changes["executable"] = None
    fixed_tables.alter_module(sys, changes)
    fixed_tables.alter_module(
        micropython,
        {
            "mem_current": ("alloc_emergency_exception_buf", _alloc_emergency_exception_buf),
            "mem_peak": None,
            "mem_total": None,
        },
    )
    fixed_tables.alter_module(vfs, {"VfsLfs1": None, "VfsPosix": None, "VfsRom": None})
    try:
        stats = _stat_of(vfs.VfsLfs2), _stat_of(vfs.VfsFat)
    except OSError:  # a kernel that keeps constants constant
        stats = None
    return new, stats

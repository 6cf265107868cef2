# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# sys, micropython and vfs as an ESP32 shows them: the interpreter's own modules, with what differs
# changed. Loaded by boot.py, and let go again.

import sys
from collections import namedtuple

import dated_stat
import fixed_tables
import micropython
import output
import vfs
from native import print_exception


def _implementation(machine, build):
    fields = ("name", "version", "_machine", "_mpy", "_build", "_thread")
    # _mpy names no architecture: this interpreter cannot run Xtensa code
    return namedtuple("implementation", fields)(
        "micropython", sys.implementation.version, machine, 6 | 3 << 8, build, "GIL"
    )


# Files are stamped in C, by the host's clock. Returns what has to be kept alive.
def _stat_of(filesystem):
    stat = dated_stat.of(filesystem.stat)
    fixed_tables.alter(filesystem.__dict__, {"stat": ("stat", stat)})
    return stat


# Returns what has to be kept alive.
def adopt(settings):
    sys.argv[:] = []
    new = {
        "platform": "esp32",
        "version": "3.4.0; MicroPython " + settings["version"],
        "implementation": _implementation(settings["machine"], settings["build"]),
        "stdout": output.TextIOWrapper(sys.stdout),
        "print_exception": print_exception,
    }
    changes = {name: (name, value) for name, value in new.items()}
    changes["atexit"] = changes["exc_info"] = changes["executable"] = None
    fixed_tables.alter_module(sys, changes)
    fixed_tables.alter_module(
        micropython,
        {
            "mem_current": ("alloc_emergency_exception_buf", output.alloc_emergency_exception_buf),
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

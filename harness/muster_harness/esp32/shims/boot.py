# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What an ESP32's main.c, _boot.py and inisetup.py do before the first script. Loaded by scripts.py
# for that, and let go again.

import gc
import sys

import clock
import host_link
import native
import vfs
from micropython import const

# Under both names: the u* ones would otherwise bypass the shims.
_SHIMS = (
    "esp",
    "esp32",
    "machine",
    "network",
    "os",
    "select",
    "socket",
    "time",
)
_STAND_INS = "/.stand-ins"
_OLDEST = const((1, 27))
_TOO_OLD = const(27)  # interpreter.py
_BLOCKS = const(512)  # of "vfs" in esp32.Partition's table
_PRIVATE = (
    "arguments",
    "boot",
    "bounded_tls",
    "clock",
    "dated_tls",
    "flash_chip",
    "native",
    "newlib_errno",
    "pin",
    "machine_uart",
    "host_link",
    "dated_stat",
    "esp32_sys",
    "fixed_tables",
    "on_demand",
    "output",
    "scripts",
    "timer",
    "virtual_asyncio",
    "virtual_clock",
)
_FOR_OTHERS = const(("arguments", "clock", "host_link", "native", "pin"))  # that come on demand
_OF_SOCKET = const(("addresses", "held", "host_sockets", "stream"))
_BOOT_PY = """\
# This file is executed on every boot (including wake-boot from deepsleep)
#import esp
#esp.osdebug(None)
#import webrepl
#webrepl.start()
"""


# False if there is something that is no filesystem.
def _mount(device):
    vfs.umount("/")
    try:
        vfs.mount(device, "/")
    except OSError:
        first = bytearray(4096)
        device.readblocks(0, first)
        if any(byte != 0xFF for byte in first):
            return False
        print("Performing initial setup")
        vfs.VfsLfs2.mkfs(device)
        vfs.mount(vfs.VfsLfs2(device), "/")
        with open("/boot.py", "w") as f:
            f.write(_BOOT_PY)
    return True


# Prepares the board. Returns what has to be kept alive, whether there is a filesystem, and whether
# main.py is left out.
def prepare(names):
    if sys.implementation.version < _OLDEST:
        sys.exit(_TOO_OLD)
    settings = host_link.request("start")
    clock.boot_us = settings["boot_us"]
    host_link.chip.update(settings["chip"])  # before the modules that differ by chip
    if settings["virtual"]:
        import virtual_asyncio
        import virtual_clock  # noqa: F401 (it takes the clock's place)

        sys.modules["_asyncio"] = virtual_asyncio
    else:
        sys.modules["_asyncio"] = clock.Asyncio()
    import esp32_sys
    import fixed_tables
    import flash_chip
    import newlib_errno
    import on_demand

    for name in _SHIMS:
        sys.modules[name] = sys.modules["u" + name] = __import__(name)
        gc.collect()
    sys.modules["addresses"].start(settings["itself"])
    import dated_tls  # after time, whose clock it reads

    if host_link.chip["limited"]:
        import bounded_tls  # noqa: F401 (it takes the context's place)

    # A file named tls would not be found: the interpreter prefers its own.
    sys.modules["tls"] = sys.modules["utls"] = dated_tls
    for name in _SHIMS + ("tls",):
        on_demand.in_c(sys.modules[name], name)
    fixed_tables.open_memory()
    newlib_errno.adopt()
    sys.modules["time"]._set_rtc(settings["rtc_us"])
    later = sys.path[0] + "/later"
    device = flash_chip.Device(_BLOCKS)
    is_mounted = _mount(device)
    native.builtin("os").chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    if settings["stand_ins"]:
        vfs.mount(vfs.VfsPosix(settings["stand_ins"]), _STAND_INS, readonly=True)
        sys.path.insert(0, _STAND_INS)
    private = _PRIVATE + _OF_SOCKET
    on_demand.start(later, {name: sys.modules[name] for name in _FOR_OTHERS})
    if settings["marked"] and is_mounted:
        alter = fixed_tables.alter_module
        on_demand.load("marked_files").start(settings["marked"], device, alter)
    if settings["charts_heap"]:
        on_demand.load("heap_samples").start()
    for name in private:
        sys.modules.pop(name, None)
    # What _boot.py leaves among a program's names: it runs there.
    names.update(gc=gc, vfs=vfs, bdev=sys.modules["esp32"].Partition("vfs"))
    kept = esp32_sys.adopt(settings)
    fixed_tables.close()
    return kept, is_mounted, settings["raw"]

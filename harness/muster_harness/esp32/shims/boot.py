# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What an ESP32's main.c, _boot.py and inisetup.py do, up to the REPL.

import gc
import sys

import clock
import host_link
import micropython
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
    "esp32_sys",
    "fixed_tables",
    "on_demand",
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


_CORRUPTED = """\
The filesystem appears to be corrupted. If you had important data there, you
may want to make a flash snapshot to try to recover it. Otherwise, perform
factory reprogramming of MicroPython firmware (completely erase flash, followed
by firmware programming).
"""
_ENDED = """\
Traceback (most recent call last):
  File "_boot.py", line 11, in <module>
  File "inisetup.py", line 38, in setup
  File "inisetup.py", line 15, in check_bootsec
  File "inisetup.py", line 34, in fs_corrupted
KeyboardInterrupt: """


# Until Ctrl-C, which leads to a prompt without a filesystem.
def _tell_of_corruption(is_interrupted):
    import time

    try:
        while not is_interrupted:
            print(_CORRUPTED)
            time.sleep(3)
    except KeyboardInterrupt:
        pass
    print(_ENDED)


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


# A soft reset of a board sweeps the heap, and with it closes what the program left open.
def _sweep(names):
    names.clear()
    for name in list(sys.modules):
        del sys.modules[name]
    gc.collect()


def _end(names, kept):
    host_link.request("run_ends")
    _sweep(names)


# Runs a script as pyexec does; false after an exception, no return after SystemExit.
def _run(path, names, is_interrupted=False):
    try:
        if is_interrupted:  # by a Ctrl-C that came while the chip booted
            raise KeyboardInterrupt
        if path in native.builtin("os").listdir("/"):
            names["__file__"] = path
            execfile(path, names)  # noqa: F821 (a MicroPython builtin)
        return True
    except SystemExit:
        _sweep(names)
        host_link.request("soft_reset")
    except BaseException as e:  # noqa: BLE001 (the last catch-all of a board is its main.c)
        native.print_exception(e, hidden='  File "<stdin>"')  # the command line started this
    return False


def run(names):
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
    end = sys.atexit
    kept = esp32_sys.adopt(settings)
    fixed_tables.close()
    gc.collect()
    end(lambda: _end(names, kept))
    is_interrupted = host_link.request("boot", not is_mounted, gc.mem_alloc())
    try:
        if not is_mounted:
            _tell_of_corruption(is_interrupted)
        elif _run("boot.py", names, is_interrupted) and not settings["raw"]:
            _run("main.py", names)
        micropython.kbd_intr(-1)
    except KeyboardInterrupt:  # came when the script had just ended
        micropython.kbd_intr(-1)
    gc.collect()
    native.builtin("os").putenv("MICROPYINSPECT", "1")  # after this file, the REPL
    host_link.request("repl")

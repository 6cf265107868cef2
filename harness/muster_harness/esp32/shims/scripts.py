# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# From the start of a board's interpreter to its REPL: boot.py, main.py, and what comes between.

import gc
import sys

import host_link
import micropython
import native

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
    end = sys.atexit  # which a board has not
    kept, is_mounted, is_raw = __import__("boot").prepare(names)
    gc.collect()
    end(lambda: _end(names, kept))
    is_interrupted = host_link.request("boot", not is_mounted, gc.mem_alloc())
    try:
        if not is_mounted:
            _tell_of_corruption(is_interrupted)
        elif _run("boot.py", names, is_interrupted) and not is_raw:
            _run("main.py", names)
        micropython.kbd_intr(-1)
    except KeyboardInterrupt:  # came when the script had just ended
        micropython.kbd_intr(-1)
    gc.collect()
    native.builtin("os").putenv("MICROPYINSPECT", "1")  # after this file, the REPL
    host_link.request("repl")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The heap that importing each of the firmware's modules takes, together with what it imports
# itself. In three calls a module, because the 32-bit interpreter only collects garbage after the
# statement that it was given has ended.

import gc
import json
import sys


class _Absent:
    def __getattr__(self, name):
        return None


_taken = {}
_before = [0]


# Each module is loaded twice: its names are interned for good, which is no cost of its own.
def begin(modules):
    for name in ("esp32", "machine", "network"):
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = _Absent()
    for name in modules:
        __import__("muster." + name)
    _forget()
    load(modules[0])  # what the first one finds is not as it is for the others
    note(modules[0])


def load(name):
    _before[0] = gc.mem_alloc()
    __import__("muster." + name)
    gc.collect()


def note(name):
    _taken[name] = gc.mem_alloc() - _before[0]
    _forget()


def tell():
    print(json.dumps(_taken))


def _forget():
    for name in list(sys.modules):
        if name.startswith("muster."):
            del sys.modules[name]
    package = sys.modules["muster"]
    for name in dir(package):
        if name[0] != "_" and isinstance(getattr(package, name), type(gc)):
            delattr(package, name)
    gc.collect()

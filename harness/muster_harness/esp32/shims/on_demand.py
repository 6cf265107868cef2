# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The modules of an ESP32 that few programs use: they take no heap until a program imports them.
# They lie outside of the board's filesystem, which is there again when an import has ended.

import sys

import vfs
from native import builtin

_PLACE = "/.later"
# What is C on an ESP32, and the file that stands for it; and what is frozen Python there, so that
# a file of that name in the current folder comes first.
IN_C = {
    "_espnow": "esp_now",
    "_onewire": "one_wire",
    "_thread": "threads",
    "_webrepl": "web_repl",
    "bluetooth": "ble",
    "btree": "b_tree",
    "ubluetooth": "ble",
}
FROZEN = (
    "aioespnow",
    "apa106",
    "dht",
    "ds18x20",
    "espnow",
    "flashbdev",
    "inisetup",
    "neopixel",
    "ntptime",
    "onewire",
    "upysh",
    "webrepl",
    "webrepl_setup",
)

_import = __import__
_own_help = help
_stat = builtin("os").stat
_folder = None
_private = {}  # modules that these import and programs do not see
_loaded = {}
_ours = []  # names of modules that are C or frozen on a board
_depth = 0


def start(folder, private):
    global _folder
    import builtins

    _folder = vfs.VfsPosix(folder)
    _private.update(private)
    builtins.__import__ = _import_too
    builtins.help = _help


def _import_too(name, *how):
    wanted_of = how[2] if len(how) > 2 and isinstance(how[2], (tuple, list)) else ()
    first = name[: name.find(".")] if "." in name else name
    if first not in sys.modules:
        if first in IN_C:
            sys.modules[first] = load(IN_C[first])
            in_c(sys.modules[first], first)
        elif first in FROZEN and not _is_in_folder(first):
            found = _loading(name, how)
            _ours.append(name)
            found.__file__ = name + ".py"
            if "*" in wanted_of:
                load("star").offer(found)
            return found
    if "*" in wanted_of and first in _ours:
        load("star").offer(sys.modules[first])
    found = _import(name, *how)
    if wanted_of and hasattr(found, "__getattr__"):
        for wanted in wanted_of:
            if wanted != "*" and not hasattr(found, wanted):
                raise ImportError("can't import name " + wanted)
    return found


# A module that only modules of the board know, and that is in C on a board.
def load(name):
    if name not in _loaded:
        _loaded[name] = _loading(name, ())
        del sys.modules[name]
        in_c(_loaded[name])
    return _loaded[name]


# Says of itself what a module in C says.
def in_c(module, name=None):
    if name:
        module.__name__ = name
        _ours.append(name)
    if hasattr(module, "__file__"):
        del module.__file__


def _help(*what):
    if what and what[0] is _help:  # which is in C on a board
        what = (_own_help,)
    names = [name for name in list(IN_C) + list(FROZEN) if name != "ubluetooth"]
    load("manual").show(_own_help, what, names)


# What a module of the board has in another file: its __getattr__, given {name: file}.
def names(module, files):
    def get(name):
        if name == "__all__":  # of `from machine import *`
            return [n for n in module.__dict__ if n[0] != "_"] + list(files)
        if name not in files:
            raise AttributeError("'module' object has no attribute '%s'" % name)
        found = getattr(load(files[name]), name)
        setattr(module, name, found)
        return found

    return get


def _is_in_folder(name):
    for ending in (".py", ".mpy", ""):
        try:
            _stat(name + ending)
            return True
        except OSError:
            pass
    return False


def _loading(name, how):
    global _depth
    if _depth == 0:
        path = sys.path[:]
        vfs.mount(_folder, _PLACE, readonly=True)
        sys.path[:] = (_PLACE, ".frozen")
        sys.modules.update(_private)
    _depth += 1
    try:
        return _import(name, *how)
    finally:
        _depth -= 1
        if _depth == 0:
            sys.path[:] = path
            vfs.umount(_PLACE)
            for private in _private:
                sys.modules.pop(private, None)

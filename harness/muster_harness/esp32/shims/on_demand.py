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
IN_C = {"_thread": "threads"}
FROZEN = ()

_import = __import__
_stat = builtin("os").stat
_folder = None
_private = {}  # modules that these import and programs do not see
_depth = 0


def start(folder, private):
    global _folder
    import builtins

    _folder = vfs.VfsPosix(folder)
    _private.update(private)
    builtins.__import__ = _import_too


def _import_too(name, *how):
    first = name[: name.find(".")] if "." in name else name
    if first not in sys.modules:
        if first in IN_C:
            sys.modules[first] = load(IN_C[first])
        elif first in FROZEN and not _is_in_folder(first):
            return _loading(name, how)
    return _import(name, *how)


# A module that only modules of the board know.
def load(name):
    module = _loading(name, ())
    del sys.modules[name]
    return module


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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Changes the tables of the interpreter's own modules, which are constant, in this process's
# private memory. So `sys` stays the interpreter's module and yet says what an ESP32's says.

import struct
import sys

_memory = None


class _StandIn:
    pass


# Before the first change; the kernel may forbid it.
def open_memory():
    global _memory
    try:
        _memory = open("/proc/self/mem", "r+b")  # noqa: SIM115 (close() is called when all is done)
    except OSError:
        pass


def close():
    if _memory:
        _memory.close()


# Gives a module's entries other contents, as alter() does. If that is forbidden, an object with
# the same entries stands in for the module.
def alter_module(module, changes):
    if _memory:
        try:
            alter(module.__dict__, changes)
            return
        except OSError:  # a kernel that keeps constants constant
            pass
    stand_in = _StandIn()
    for key, value in module.__dict__.items():
        entry = changes.get(key, (key, value))
        if entry:
            setattr(stand_in, *entry)
    sys.modules[module.__name__] = stand_in


# Gives entries of a module's dict other contents: {key: (new key, new value)}, or {key: None} to
# take one away. What is put there has to be kept alive by the caller: no collector looks there.
#
# A dict of the interpreter is (type, used * 8 + flags, size, entries), an entry is key and value,
# all of them machine words. id() of an object is its word.
def alter(table, changes):
    if not _memory:
        raise OSError(1)
    word = "<Q" if sys.maxsize >> 32 else "<I"
    size = struct.calcsize(word)
    used = _word(id(table) + size, word) >> 3
    entries = _word(id(table) + 3 * size, word)
    for i, key in enumerate(list(table)[:used]):
        if key in changes:
            change = changes[key]
            at = entries + 2 * size * i
            if _word(at, word) == id(key):
                new = (0, 0) if change is None else (id(_interned(change[0])), id(change[1]))
                _memory.seek(at)
                _memory.write(struct.pack(word, new[0]) + struct.pack(word, new[1]))


# The one object that a name has in tables.
def _interned(key):
    if isinstance(key, str):
        names = _StandIn()
        setattr(names, key, None)
        key = list(names.__dict__)[0]
    return key


def _word(at, form):
    _memory.seek(at)
    return struct.unpack(form, _memory.read(struct.calcsize(form)))[0]

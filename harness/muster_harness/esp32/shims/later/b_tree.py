# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# btree: a sorted table of bytes in a file. An ESP32 has Berkeley DB for it, whose files this one
# neither reads nor writes: it holds all in memory, and writes the whole of it at flush().

import struct

from micropython import const

INCL = 1
DESC = 2

_MAGIC = b"mub1"
_EINVAL = const(22)
# Of Berkeley DB's seq().
_CURSOR, _FIRST, _LAST, _NEXT, _PREVIOUS = 1, 3, 6, 7, 9
_SEQ = (_CURSOR, _FIRST, _LAST, _NEXT, _PREVIOUS)
_COUNT, _ENTRY = "<I", "<II"


def _plain(value):
    return value.encode() if isinstance(value, str) else bytes(memoryview(value))


class btree:  # noqa: N801 (so it is called there)
    def __init__(self, stream):
        self._stream = stream
        self._values = {}
        self._keys = []
        self._is_changed = False
        self._at = -1
        stream.seek(0)
        head = stream.read(len(_MAGIC))
        if head and head != _MAGIC:
            raise OSError(_EINVAL)
        count = struct.unpack(_COUNT, stream.read(4))[0] if head else 0
        for _ in range(count):  # behind these there may be the end of a longer table before
            size, value_size = struct.unpack(_ENTRY, stream.read(8))
            key = stream.read(size)
            self._values[key] = stream.read(value_size)
        self._keys = sorted(self._values)

    # -- positions in what is sorted

    def _require_open(self):
        if self._stream is None:
            raise ValueError("database closed")

    def _place(self, key):
        low, high = 0, len(self._keys)
        while low < high:
            middle = (low + high) // 2
            if self._keys[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def __repr__(self):
        return "<btree %x>" % (id(self) if self._stream else 0)

    def __getitem__(self, key):
        self._require_open()
        return self._values[_plain(key)]

    def __setitem__(self, key, value):
        self._require_open()
        key = _plain(key)
        if key not in self._values:
            self._keys.insert(self._place(key), key)
        self._values[key] = _plain(value)
        self._is_changed = True

    put = __setitem__

    def __delitem__(self, key):
        key = _plain(key)
        del self._values[key]
        self._keys.remove(key)
        self._is_changed = True

    def __contains__(self, key):
        return _plain(key) in self._values

    def get(self, key, default=None):
        return self._values.get(_plain(key), default)

    def flush(self):
        self._require_open()
        if self._is_changed:
            self._stream.seek(0)
            self._stream.write(_MAGIC + struct.pack(_COUNT, len(self._keys)))
            for key in self._keys:
                value = self._values[key]
                self._stream.write(struct.pack(_ENTRY, len(key), len(value)) + key + value)
            self._is_changed = False
        self._stream.flush()

    def close(self):
        if self._stream:
            self.flush()
            self._stream = None

    # Moves to a key, or the next after it, and returns what is there.
    def seq(self, flags, key=None):
        self._require_open()
        if flags not in _SEQ:
            raise OSError(_EINVAL)
        last = len(self._keys) - 1
        if flags == _CURSOR:
            self._at = self._place(_plain(key))
        elif flags in (_FIRST, _LAST):
            self._at = 0 if flags == _FIRST else last
        else:
            self._at += 1 if flags == _NEXT else -1
        if not 0 <= self._at <= last:
            return None
        return self._keys[self._at], self._values[self._keys[self._at]]

    def __iter__(self):
        return self.keys()

    def _found(self, *bounds):
        self._require_open()
        return self._between(*bounds)

    def _between(self, start=None, end=None, flags=0):
        keys = self._keys
        if flags & DESC:
            first = len(keys) if start is None else self._after(_plain(start))
            last = 0 if end is None else self._after(_plain(end))
            if end is not None and flags & INCL and _plain(end) in self._values:
                last -= 1
            return reversed(keys[last:first])
        first = 0 if start is None else self._place(_plain(start))
        last = len(keys) if end is None else self._place(_plain(end))
        if end is not None and flags & INCL and _plain(end) in self._values:
            last += 1
        return iter(keys[first:last])

    def _after(self, key):
        return self._place(key) + (key in self._values)

    def keys(self, *bounds):
        return iter(list(self._found(*bounds)))

    def values(self, *bounds):
        self._require_open()
        return (self._values[key] for key in self._found(*bounds))

    def items(self, *bounds):
        self._require_open()
        return ((key, self._values[key]) for key in self._found(*bounds))


def open(stream, *, flags=0, cachesize=0, pagesize=0, minkeypage=0):
    return btree(stream)

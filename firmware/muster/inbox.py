# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The bundles that somebody has brought: files at the root, whichever way they came. One stays
# there until what became of it is recorded, so that a power cut costs nothing. Loaded when needed.

import errno
import os

from micropython import const

from . import log
from .errors import DeviceError

_ROOT = "/"
_SUFFIX = const(".muster")
_PART = const("bundle.part")
LONGEST = const(6144)  # characters, without white space
_CHUNK = const(128)


# The path of a bundle, or None.
def find():
    names = [entry[0] for entry in os.ilistdir(_ROOT) if entry[0].endswith(_SUFFIX)]
    return _ROOT + min(names) if names else None


# The bundle's text without white space, in one buffer.
def read(path):
    try:
        size = os.stat(path)[6]
        if size > 2 * LONGEST:  # so much of it may be white space
            raise _too_long()
        text = bytearray(size)
        end = 0
        with open(path, "rb") as f:
            chunk = f.read(_CHUNK)
            while chunk:
                chunk = b"".join(chunk.split())
                text[end : end + len(chunk)] = chunk
                end += len(chunk)
                chunk = f.read(_CHUNK)
    except OSError as e:
        raise _failed("read", path, e)
    return text if end == size else text[:end]


# SHA-256 of what `read` would return, or None if nothing can be read there.
def digest(path):
    from hashlib import sha256

    found = sha256()
    try:
        with open(path, "rb") as f:
            chunk = f.read(_CHUNK)
            while chunk:
                found.update(b"".join(chunk.split()))
                chunk = f.read(_CHUNK)
    except OSError:
        return None
    return found.digest()


# It has had its turn, well or badly.
def remove(path):
    try:
        os.remove(path)
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise _failed("remove", path, e)


# What can never be applied is kept for people to look at, under a name that is not looked for.
def set_aside(path):
    try:
        os.rename(path, path + ".bad")
    except OSError as e:
        log.error("bundle", "cannot set %s aside: %s" % (path, e))
        remove(path)


# After a factory reset nothing is left to be applied.
def clear():
    path = find()
    while path:
        remove(path)
        path = find()


# A bundle on its way in, piece by piece: it is never in RAM as a whole.
class Upload:
    def __init__(self):
        self._size = 0
        try:
            self._file = open(_ROOT + _PART, "wb")  # noqa: SIM115 (open until it is finished)
        except OSError as e:
            raise _failed("write", _PART, e)

    # DeviceError storage_failed, or config_invalid if it is longer than any bundle.
    def write(self, chunk):
        chunk = b"".join(bytes(chunk).split())
        self._size += len(chunk)
        if self._size > LONGEST:
            self.abort()
            raise _too_long()
        try:
            self._file.write(chunk)
        except OSError as e:
            self.abort()
            raise _failed("write", _PART, e)

    # All of it is there. Returns the path under which `accept` expects it.
    def finish(self):
        try:
            self._file.close()
        except OSError as e:
            raise _failed("write", _PART, e)
        return _ROOT + _PART

    def abort(self):
        try:
            self._file.close()
            os.remove(_ROOT + _PART)
        except OSError:  # it is replaced by the next one
            pass


# From now on it is found, before a restart or after it; it replaces one that waited.
def accept(device_id):
    try:
        os.rename(_ROOT + _PART, _ROOT + device_id + _SUFFIX)
    except OSError as e:
        raise _failed("keep", _PART, e)


def _too_long():
    return DeviceError("config_invalid", "bundle: longer than %d characters" % LONGEST)


def _failed(verb, path, e):
    return DeviceError("storage_failed", "cannot %s %s: %s" % (verb, path, e))

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
_BAD = const(".muster.bad")
_PART = const(".part")
PAGE = const("page")  # ways in, in the names of what has come that way
SERIAL = const("serial")
LONGEST = const(6144)  # characters, without white space
_CHUNK = const(128)


# Returns the path of the first bundle, in the order of their names, behind the one at `after`; or
# None.
def find(after=""):
    paths = [_ROOT + name for name in _names(_SUFFIX)]
    return min([path for path in paths if path > after] or [None])  # type: ignore[type-var]


# Tells whether there is another one than this.
def has_other(path):
    return any(_ROOT + name != path for name in _names(_SUFFIX))


def _names(suffix):
    return [entry[0] for entry in os.ilistdir(_ROOT) if entry[0].endswith(suffix)]


# Returns the bundle's text without white space, in one buffer. Raises DeviceError.
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


# Returns the SHA-256 of what `read` would return, or None if nothing can be read there.
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


# Removes a bundle that has had its turn, well or badly. Raises DeviceError.
def remove(path):
    try:
        os.remove(path)
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise _failed("remove", path, e)


# Keeps what can never be applied for people to look at, under a name that is not looked for; but
# removes what is far too long to be a bundle.
def set_aside(path):
    try:
        if os.stat(path)[6] > 2 * LONGEST:
            os.remove(path)
        else:
            os.rename(path, path + ".bad")
    except OSError as e:
        log.error("bundle", "cannot set %s aside: %s" % (path, e))
        remove(path)


# Removes all bundles: after a factory reset nothing is left to be applied, nor to be read by who
# finds the device.
def clear():
    for suffix in (_SUFFIX, _BAD, _PART):
        for name in _names(suffix):
            remove(_ROOT + name)


# Takes a bundle on its way in, piece by piece: it is never in RAM as a whole. way: PAGE or SERIAL,
# each of which takes one at a time.
class Upload:
    def __init__(self, way):
        self._size = 0
        self._path = _ROOT + way + _PART
        try:
            self._file = open(self._path, "wb")  # noqa: SIM115 (open until it is finished)
        except OSError as e:
            raise _failed("write", self._path, e)

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
            raise _failed("write", self._path, e)

    # Tells whether there has been nothing but white space.
    def is_empty(self):
        return not self._size

    # All of it is there. Returns the path under which `accept` expects it.
    def finish(self):
        try:
            self._file.close()
        except OSError as e:
            raise _failed("write", self._path, e)
        return self._path

    def abort(self):
        try:
            self._file.close()
            os.remove(self._path)
        except OSError:  # it is replaced by the next one
            pass


# Lets what has been uploaded to path be found from now on, before a restart or after it, e.g. as
# /PRESS-4.page.muster; it replaces one that waited. Raises DeviceError.
def accept(path, device_id):
    way = path[len(_ROOT) : -len(_PART)]
    try:
        os.rename(path, "%s%s.%s%s" % (_ROOT, device_id, way, _SUFFIX))
    except OSError as e:
        raise _failed("keep", path, e)


def _too_long():
    return DeviceError("config_invalid", "bundle: longer than %d characters" % LONGEST)


def _failed(verb, path, e):
    return DeviceError("storage_failed", "cannot %s %s: %s" % (verb, path, e))

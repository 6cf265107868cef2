# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How records lie on LittleFS: two generations each, so that a torn or rotten one costs nothing but
# the last change. Loaded by store.py when needed.

import binascii
import errno
import json
import os
import struct

from micropython import const

from . import log
from .compact import Measure, dump
from .errors import DeviceError

_HEADER = const(
    "<4sIII"
)  # magic, generation, payload length, CRC-32 of the payload and these three
_HEADER_SIZE = const(16)
_MAGIC = const(b"MUS1")
_CHUNK = const(256)


# Returns the newest generation that checks, as what JSON makes of it; None if there is none.
def load(root, name):
    for generation, path in _generations(root, name):
        try:
            with open(path, "rb") as f:
                f.seek(_HEADER_SIZE)
                return json.load(f)  # the text never stands in RAM
        except ValueError:
            log.error("store", "%s generation %d is not JSON" % (path, generation))
            _set_aside(path)
    return None


# Writes a record whole or not at all: the older generation's file is replaced, and LittleFS shows
# the new content only once the file has been closed. Raises DeviceError.
def save(root, name, value):
    generation = _next_generation(root, name)
    payload = Measure()
    dump(value, payload)
    path = _path(root, name, generation)
    try:
        with open(path, "wb") as f:
            f.write(_head(generation, payload.size, payload.crc))
            dump(value, f)
    except OSError as e:
        raise _failed("write", path, e)


# Copies the record under one name to the newest generation under another, byte by byte as it was
# proved, without ever standing in RAM. Returns its size in bytes. Raises DeviceError.
def promote(root, source, target):
    found = _generations(root, source)
    if not found:
        raise DeviceError("storage_failed", "no record %s to promote" % source)
    generation = _next_generation(root, target)
    path = _path(root, target, generation)
    try:
        with open(found[0][1], "rb") as f, open(path, "wb") as g:
            length = struct.unpack(_HEADER, f.read(_HEADER_SIZE))[2]
            crc = 0
            for chunk in _chunks(f):
                crc = binascii.crc32(chunk, crc)
            g.write(_head(generation, length, crc))
            f.seek(_HEADER_SIZE)
            for chunk in _chunks(f):
                g.write(chunk)
            return length
    except OSError as e:
        raise _failed("write", path, e)


def count(root, name):
    return len(_generations(root, name))


def erase(root, name):
    # The older one first: a cut in between must not bring back what it had replaced.
    for _, path in reversed(_generations(root, name)):
        try:
            os.remove(path)
        except OSError as e:
            raise _failed("remove", path, e)
    for parity in (0, 1):  # what was set aside holds the same secrets
        try:
            os.remove(_path(root, name, parity) + ".bad")
        except OSError:  # there is none
            pass


# Returns (generation, path) of each record that checks, newest first.
def _generations(root, name):
    found = []
    for parity in (0, 1):
        path = _path(root, name, parity)
        try:
            generation = _check(path)
        except ValueError as e:
            log.error("store", "%s: %s" % (path, e))
            _set_aside(path)
            continue
        if generation is not None:
            found.append((generation, path))
    found.sort(reverse=True)
    return found


def _next_generation(root, name):
    found = _generations(root, name)
    return found[0][0] + 1 if found else 1


def _path(root, name, generation):
    return "%s/%s.%d" % (root, name, generation & 1)


def _set_aside(path):
    try:
        os.rename(path, path + ".bad")
    except OSError as e:
        log.error("store", "cannot set %s aside: %s" % (path, e))


# Returns the generation of the record in the file, None if there is no file. Raises ValueError,
# which says what is wrong with it.
def _check(path):
    try:
        with open(path, "rb") as f:
            header = f.read(_HEADER_SIZE)
            if len(header) < _HEADER_SIZE:
                raise ValueError("torn header")
            magic, generation, length, _ = struct.unpack(_HEADER, header)
            if magic != _MAGIC:
                raise ValueError("not a record")
            crc = size = 0
            for chunk in _chunks(f):
                crc = binascii.crc32(chunk, crc)
                size += len(chunk)
            if size != length:
                raise ValueError("torn: %d of %d bytes" % (size, length))
            if _head(generation, length, crc) != header:
                raise ValueError("checksum does not match")
            return generation
    except OSError as e:
        if e.errno == errno.ENOENT:
            return None
        raise ValueError("unreadable: %s" % e)


# Makes a header, whose checksum covers the payload and what the header says of it.
def _head(generation, length, crc):
    head = struct.pack("<4sII", _MAGIC, generation, length)
    return head + struct.pack("<I", binascii.crc32(head, crc))


def _chunks(f):
    chunk = f.read(_CHUNK)
    while chunk:
        yield chunk
        chunk = f.read(_CHUNK)


def _failed(verb, path, e):
    return DeviceError("storage_failed", "cannot %s %s: %s" % (verb, path, e))

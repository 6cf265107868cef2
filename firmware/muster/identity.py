# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who this device is: its id and secret, written at manufacture to NVS and to the filesystem,
# each healing the other. A factory reset never touches it.

import binascii
import errno
import os
import struct

from micropython import const

from . import log
from .errors import DeviceError

_MAGIC = const(b"MUI1")
_HEAD = const(
    "<4sIBB"
)  # magic, generation, length of id, length of secret; then both; then CRC-32
_SECRET_SIZE = const(20)
_LONGEST = const(128)
_KEY = const("identity")
_NAMESPACE = const("muster")
_PATH = const("/identity.bin")


class Identity:
    def __init__(self, generation, device_id, secret):
        self.generation = generation
        self.device_id = device_id
        self.secret = secret

    def __repr__(self):
        return "Identity(%d, %s)" % (self.generation, self.device_id)


# Returns the identity, after the newer copy has healed the other one; None on a board without a
# label.
def read(nvs, path=_PATH):
    in_nvs = _parse(_from_nvs(nvs), "NVS")
    in_file = _parse(_from_file(path), path)
    if in_nvs is None and in_file is None:
        return None
    if in_file is None or (in_nvs and in_nvs.generation >= in_file.generation):
        newest = in_nvs
    else:
        newest = in_file
    try:
        _heal(nvs, path, newest, in_nvs, in_file)
    except DeviceError as e:  # one good copy is enough to live on
        log.error("identity", e)
    return newest


def _heal(nvs, path, newest, in_nvs, in_file):
    if in_nvs and in_file and in_nvs.generation == in_file.generation:
        if (in_nvs.device_id, in_nvs.secret) != (in_file.device_id, in_file.secret):
            log.error("identity", "NVS and %s hold different identities; NVS wins" % path)
            _to_file(path, _pack(newest))
    elif newest is in_nvs:
        _to_file(path, _pack(newest))
    else:
        _to_nvs(nvs, _pack(newest))


# Writes a label's identity, over serial only. The file comes first: NVS decides between equals,
# so a cut in between leaves a newer file that heals NVS.
def write(device_id, secret, nvs=None, path=_PATH):
    if len(secret) != _SECRET_SIZE:
        raise ValueError("wanted a secret of 20 bytes, got %d" % len(secret))
    if nvs is None:
        from .hardware import open_nvs

        nvs = open_nvs(_NAMESPACE)
    former = read(nvs, path)
    record = _pack(Identity(former.generation + 1 if former else 1, device_id, bytes(secret)))
    _to_file(path, record)
    _to_nvs(nvs, record)


def _pack(identity):
    name = identity.device_id.encode()
    head = struct.pack(_HEAD, _MAGIC, identity.generation, len(name), len(identity.secret))
    body = head + name + identity.secret
    return body + struct.pack("<I", binascii.crc32(body))


def _parse(record, where):
    if record is None:
        return None
    size = struct.calcsize(_HEAD)
    if len(record) < size + 4 or record[:4] != _MAGIC:
        log.error("identity", "%s holds no identity record" % where)
        return None
    _, generation, name_size, secret_size = struct.unpack(_HEAD, record)
    end = size + name_size + secret_size
    if len(record) != end + 4 or struct.unpack("<I", record[end:])[0] != binascii.crc32(
        record[:end]
    ):
        log.error("identity", "the identity in %s is damaged" % where)
        return None
    try:
        name = record[size : size + name_size].decode()
    except UnicodeError:
        log.error("identity", "the id in %s is not text" % where)
        return None
    return Identity(generation, name, record[size + name_size : end])


def _from_nvs(nvs):
    buf = bytearray(_LONGEST)
    try:
        return bytes(buf[: nvs.get_blob(_KEY, buf)])
    except OSError:  # not found, or of another type: the file decides
        return None


def _to_nvs(nvs, record):
    try:
        nvs.set_blob(_KEY, record)
        nvs.commit()
    except OSError as e:
        raise DeviceError("storage_failed", "cannot write the identity to NVS: %s" % e)


def _from_file(path):
    try:
        with open(path, "rb") as f:
            return f.read(_LONGEST)
    except OSError as e:
        if e.errno != errno.ENOENT:
            log.error("identity", "cannot read %s: %s" % (path, e))
        return None


def _to_file(path, record):
    try:
        with open(path + ".new", "wb") as f:
            f.write(record)
        os.rename(path + ".new", path)
    except OSError as e:
        raise DeviceError("storage_failed", "cannot write %s: %s" % (path, e))

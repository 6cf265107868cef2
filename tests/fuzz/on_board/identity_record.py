# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The identity in NVS and in its file, either of them damaged.

import struct
from binascii import crc32

from mutation import chance, changed_bytes, some
from stand_ins import Files

from muster import identity

ROOM = 48 << 10
_WORDS = [b"MUI1", b"\0\0\0\0", b"\xff\xff", b"\x14", b"\x80"]
_PATH = "/identity.bin"


def _record(generation, name, secret=bytes(range(20))):
    body = struct.pack("<4sIBB", b"MUI1", generation, len(name), len(secret)) + name + secret
    return body + struct.pack("<I", crc32(body))


# An input: the length of what NVS holds, that, and what the file holds.
def _both(in_nvs, in_file):
    return bytes([min(len(in_nvs), 255)]) + in_nvs[:255] + in_file


SEEDS = [
    _both(_record(1, b"PRESS-4"), _record(1, b"PRESS-4")),
    _both(_record(2, b"PRESS-4"), _record(1, b"PRESS-4")),
    _both(_record(1, b"A"), _record(2, b"A" * 32)),
    _both(_record(1, b"A"), b""),
    _both(b"", _record(1, b"A")),
    _both(_record(1, b"A"), _record(1, b"B")),
]


def make(corpus):
    data = changed_bytes(some(corpus), some(corpus), _WORDS)
    if chance(2):
        return data
    # The checksum is right.
    body = changed_bytes(_record(1, b"PRESS-4")[:-4], b"x", _WORDS)
    record = body + struct.pack("<I", crc32(body))
    return _both(record, b"") if chance(2) else _both(b"", record)


class _NVS:
    def __init__(self, record):
        self.record = record

    def get_blob(self, key, buf):
        if not self.record:
            raise OSError(-4354)
        if len(self.record) > len(buf):
            raise OSError(-4364)
        buf[: len(self.record)] = self.record
        return len(self.record)

    def set_blob(self, key, record):
        self.record = bytes(record)

    def commit(self):
        pass


def play(data):
    size = data[0] if data else 0
    files = Files()
    identity.open, identity.os = files.open, files
    files.files[_PATH] = bytes(data[1 + size :])
    nvs = _NVS(bytes(data[1 : 1 + size]))
    found = identity.read(nvs, _PATH)
    if found is None:
        return None
    again = identity.read(nvs, _PATH)
    if (again.device_id, again.secret) != (found.device_id, found.secret):
        return "not the same the second time"
    if nvs.record != files.files[_PATH]:
        return "one has not healed the other"
    return None

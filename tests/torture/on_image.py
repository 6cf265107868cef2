# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Runs on MicroPython: what the firmware that lies on a flash image makes of that image when it
# starts, when it starts again, and when the next configuration comes. A request is a line of JSON,
# {"image": path, "nvs": hex or null, "cuts_again": bool, "reads_all": bool}, and so is the answer.
# The firmware itself comes from sys.path: reading it from each image would take most of the time.

import binascii
import json
import os
import sys

import lives
import vfs

from muster import candidate, identity, store

_BLOCK = 4096
_PLACE = "/flash"
_STATE = _PLACE + "/muster-state"
_PROVED = 10  # all nine steps, in the journal
_EIO = 5
_ERASED = b"\xff" * _BLOCK


# The image, and in RAM the blocks that have changed: the collector would look through all the rest
# again and again.
class Chip:
    def __init__(self, image):
        self._image = image
        self._changed = {}

    def blocks(self):
        return self._image.seek(0, 2) // _BLOCK

    def read(self, block, offset, buf):
        if block in self._changed:
            buf[:] = memoryview(self._changed[block])[offset : offset + len(buf)]
        else:
            self._image.seek(block * _BLOCK + offset)
            self._image.readinto(buf)

    def write(self, block, offset, data):
        if block not in self._changed:
            former = bytearray(_BLOCK)
            self.read(block, 0, former)
            self._changed[block] = former
        self._changed[block][offset : offset + len(data)] = data


# A chip for one run; after so many operations, and after the run, nothing reaches it: what a cut
# left open must not write when it is swept up later. It answers with an error number: an exception
# would jump out of the middle of LittleFS.
class Disk:
    def __init__(self, chip, cut_at=None):
        self._chip = chip
        self._cut_at = cut_at
        self.operations = 0
        self.is_on = True

    def readblocks(self, block, buf, offset=0):
        self._chip.read(block, offset, buf)

    def writeblocks(self, block, buf, offset=0):
        if self._is_cut():
            return -_EIO
        self._chip.write(block, offset, buf)
        return 0

    def ioctl(self, op, arg):
        if op == 4:
            return self._chip.blocks()
        if op == 5:
            return _BLOCK
        if op == 6:
            if self._is_cut():
                return -_EIO
            self._chip.write(arg, 0, _ERASED)
        return 0

    def _is_cut(self):
        if not self.is_on or self.operations == self._cut_at:
            self.is_on = False
            return True
        self.operations += 1
        return False


class NVS:
    def __init__(self, blob):
        self.blob = blob

    def get_blob(self, key, buffer):
        if self.blob is None:
            raise OSError(-0x1102)
        buffer[: len(self.blob)] = self.blob
        return len(self.blob)

    def set_blob(self, key, value):
        self.blob = bytes(value)

    def commit(self):
        pass


class Answer:
    def __init__(self, config):
        self.config = config


def _mounted(disk, deed, *arguments):
    vfs.mount(vfs.VfsLfs2(disk), _PLACE)
    try:
        return deed(*arguments)
    finally:
        vfs.umount(_PLACE)
        disk.is_on = False


# As assembly.py does it, as far as it concerns what is stored.
def _start(nvs):
    who = identity.read(nvs, _PLACE + "/identity.bin")
    kept = store.Store(_STATE)
    line, diary, former = lives.begin(kept, "power_on")
    return who, kept, diary, candidate.wake(kept, diary, line, former)


# What is told of one start.
def _told(nvs, reads_all=False):
    who, kept, diary, config = _start(nvs)
    return {
        "identity": [who.device_id, binascii.hexlify(who.secret).decode()] if who else None,
        "config": config,
        "kept": bool(candidate.kept(kept, diary, diary.failed_version)),
        "highest": diary.highest,
        "last": diary.last["code"] if diary.last else None,
        "firmware": _firmware(reads_all),
        "left": sorted(os.listdir(_STATE)),
    }


# A checksum over the names and sizes of what a deployment has put there, or over all its content.
def _firmware(reads_all):
    crc = 0
    places = ["/", "/lib/", "/lib/muster/"]
    for place in places:
        for name, _, _, size in sorted(os.ilistdir(_PLACE + place)):
            path = place + name
            is_ours = place != "/" or name in ("boot.py", "main.py", "muster.json")
            if not is_ours or path + "/" in places:
                continue
            crc = binascii.crc32(("%s %d " % (path, size)).encode(), crc)
            if reads_all:
                with open(_PLACE + path, "rb") as f:
                    crc = binascii.crc32(f.read(), crc)
    return crc


# The storage's part of the next onboarding; the version that the restart after it runs on.
def _next(nvs):
    _, kept, diary, config = _start(nvs)
    version = max(diary.highest, config["version"] if config else 0) + 1
    config = candidate.keep(kept, diary, Answer({"version": version, "pad": "x" * 500}))
    for step in (7, 8, 9, _PROVED):
        diary.reached(version, step)
    candidate.commit(kept, diary, version)
    after = _start(nvs)[3]
    return bool(after) and after["version"] == version


def _guarded(disk, deed, *arguments):
    try:
        return _mounted(disk, deed, *arguments)
    except Exception as e:  # noqa: BLE001 - whatever it is, the host judges it
        return {"error": repr(e)}


# The power goes a second time, at each operation of the start that follows the first cut.
def _cut_again(image, nvs, operations):
    told = []
    for n in range(operations):
        chip = Chip(image)
        twin = NVS(nvs)
        _guarded(Disk(chip, n), _told, twin)
        told.append(_guarded(Disk(chip), _told, twin))
    return told


def _answer(request, image):
    nvs = binascii.unhexlify(request["nvs"]) if request["nvs"] else None
    chip = Chip(image)
    alive = NVS(nvs)
    disk = Disk(chip)
    first = _guarded(disk, _told, alive, request["reads_all"])
    second = _guarded(Disk(chip), _told, alive)
    succeeds = _guarded(Disk(chip), _next, alive)
    again = _cut_again(image, nvs, disk.operations) if request["cuts_again"] else []
    return {"first": first, "second": second, "succeeds": succeeds, "again": again}


def run():
    # Loading a module anew each time would prove nothing here.
    store.release = lambda *names: None
    line = sys.stdin.readline()
    while line:
        request = json.loads(line)
        with open(request["image"], "rb") as image:
            print("=" + json.dumps(_answer(request, image)))
        line = sys.stdin.readline()


run()

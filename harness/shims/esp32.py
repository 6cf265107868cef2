# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# esp32: NVS, the data partition, and figures of the IDF heap.

from binascii import hexlify, unhexlify

import flash
import supervisor
from pin import number

HEAP_EXEC = 1
HEAP_DATA = 4
WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


class NVS:
    def __init__(self, namespace):
        self._namespace = namespace
        self._ask("open")

    def _ask(self, verb, *args):
        return supervisor.request("nvs", self._namespace, verb, *args)

    def set_i32(self, key, value):
        self._ask("set_i32", key, value)

    def get_i32(self, key):
        return self._ask("get_i32", key)

    def set_blob(self, key, value):
        self._ask("set_blob", key, hexlify(value))

    def get_blob(self, key, buffer):
        data = unhexlify(self._ask("get_blob", key, len(buffer)))
        memoryview(buffer)[: len(data)] = data
        return len(data)

    def erase_key(self, key):
        self._ask("erase_key", key)

    def commit(self):
        self._ask("commit")

    def __repr__(self):
        return "<NVS namespace>"


_ADDRESS = 0x200000
_BLOCKS = 512


class Partition(flash.Device):
    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, label, block_size=4096):
        if label != "vfs":
            raise OSError(2)
        super().__init__(_BLOCKS)

    @staticmethod
    def find(type=0, subtype=0xFF, label=None, block_size=4096):
        if type == 1 and subtype in (0xFF, 0x81) and label in (None, "vfs"):
            return [Partition("vfs")]
        return []

    def info(self):
        return (1, 0x81, _ADDRESS, _BLOCKS * flash.BLOCK, "vfs", False)


# (total, free, largest block, lowest free) per region: what a plain ESP32 shows after boot.
def idf_heap_info(capabilities):
    return [(15072, 2124, 1984, 1676), (113840, 72412, 69632, 69976), (15072, 15036, 14848, 15036)]


def raw_temperature():
    return 128


_SAME = object()


def wake_on_ext0(pin=_SAME, level=None):
    numbers = [] if pin is None else None if pin is _SAME else [number(pin)]
    supervisor.request("wake_on", "ext0", numbers, level)


def _wake_on(source, pins, level):
    numbers = None if pins is None else [number(pin) for pin in pins]
    supervisor.request("wake_on", source, numbers, level)


def wake_on_ext1(pins=None, level=None):
    _wake_on("ext1", pins, level)


def wake_on_gpio(pins=None, level=None):
    _wake_on("gpio", pins, level)

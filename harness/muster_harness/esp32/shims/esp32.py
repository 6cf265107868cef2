# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# esp32: NVS, the data partition, and figures of the IDF heap.

import sys
from binascii import hexlify, unhexlify

import flash_chip
import host_link
import on_demand
from arguments import integer, items, text
from micropython import const
from pin import number

HEAP_EXEC = 1
HEAP_DATA = 4
WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


class NVS:
    def __init__(self, namespace):
        self._namespace = text(namespace)
        self._ask("open")

    def _ask(self, verb, *args):
        if args:
            args = (text(args[0]),) + args[1:]
        return host_link.request("nvs", self._namespace, verb, *args)

    def set_i32(self, key, value):
        self._ask("set_i32", key, value)

    def get_i32(self, key):
        return self._ask("get_i32", key)

    def set_blob(self, key, value):
        self._ask("set_blob", key, hexlify(memoryview(value)))

    def get_blob(self, key, buffer):
        room = memoryview(buffer)
        data = unhexlify(self._ask("get_blob", key, len(room)))
        room[: len(data)] = data
        return len(data)

    def erase_key(self, key):
        self._ask("erase_key", key)

    def commit(self):
        self._ask("commit")

    def __repr__(self):
        return "<NVS namespace>"


# type, subtype, address, size, label, encrypted (ports/esp32/partitions-4MiB.csv)
_TABLE = (
    (1, 2, 0x9000, 0x6000, "nvs", False),
    (1, 1, 0xF000, 0x1000, "phy_init", False),
    (0, 0, 0x10000, 0x1F0000, "factory", False),
    (1, 0x81, 0x200000, 0x200000, "vfs", False),
)
_ANY = const(0xFF)


# Only "vfs" holds anything: the others read as erased, and cannot be written.
class Partition(flash_chip.Device):
    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, id, block_size=4096):
        if block_size != flash_chip.BLOCK:
            raise ValueError("the emulated flash has blocks of %d bytes only" % flash_chip.BLOCK)
        if isinstance(id, int):
            if id not in (0, 1):
                raise ValueError
            id = "factory"
        for entry in _TABLE:
            if entry[4] == id:
                break
        else:
            raise OSError(2)
        self._entry = entry
        self._is_data = id == "vfs"
        super().__init__(entry[3] // flash_chip.BLOCK)

    @staticmethod
    def find(type=0, subtype=_ANY, label=None, block_size=4096):
        return [
            Partition(entry[4], block_size)
            for entry in _TABLE
            if entry[0] == type and subtype in (_ANY, entry[1]) and label in (None, entry[4])
        ]

    def info(self):
        return self._entry

    def readblocks(self, block, buf, offset=0):
        if self._is_data:
            return super().readblocks(block, buf, offset)
        for i in range(len(buf)):
            buf[i] = 0xFF
        return None

    def writeblocks(self, block, buf, offset=None):
        if not self._is_data:
            raise OSError(1)
        return super().writeblocks(block, buf, offset)

    def ioctl(self, op, arg=None):
        if op == 6 and not self._is_data:
            raise OSError(1)
        return super().ioctl(op, arg)

    # There is one application and no second place for it.
    def set_boot(self):
        if self._entry[0] != 0:
            raise OSError(-5379, "ESP_ERR_OTA_VALIDATE_FAILED")

    def get_next_update(self):
        raise OSError(2)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        raise OSError(-261, "ESP_ERR_NOT_FOUND")

    def __repr__(self):
        return (
            "<Partition type=%u, subtype=%u, address=%u, size=%u, label=%s, encrypted=%u>"
            % self._entry
        )


# (total, free, largest block, lowest free) per region.
def idf_heap_info(capabilities):
    if integer(capabilities) < 0:  # no region can do everything
        return []
    return [tuple(region) for region in host_link.request("idf_heap_info", host_link.heap_used())]


if host_link.chip["name"] == "esp32":

    def raw_temperature():
        return 128

else:

    def mcu_temperature():
        return 35


_SAME = object()


def wake_on_ext0(pin=_SAME, level=None):
    numbers = [] if pin is None else None if pin is _SAME else [number(pin)]
    host_link.request("wake_on", "ext0", numbers, _flag(level))


def _wake_on(source, pins, level):
    numbers = None if pins is None else [number(pin) for pin in items(pins)]
    host_link.request("wake_on", source, numbers, _flag(level))


def _flag(level):
    return None if level is None else bool(level)


def wake_on_ext1(pins=None, level=None):
    _wake_on("ext1", pins, level)


def wake_on_gpio(pins=None, level=None):
    _wake_on("gpio", pins, level)


if not host_link.chip["ext0"]:
    del wake_on_ext0
if not host_link.chip["ext1"]:
    del wake_on_ext1

_later = {"RMT": "rmt"}
if host_link.chip["pcnt"]:
    _later["PCNT"] = "counters"
__getattr__ = on_demand.names(sys.modules["esp32"], _later)

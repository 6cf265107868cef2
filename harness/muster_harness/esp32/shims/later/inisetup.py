# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# inisetup, which an ESP32's firmware contains: makes the filesystem. At a first boot boot.py of
# these shims has done it.

import time

import micropython
import vfs
from flashbdev import bdev

_BOOT_PY = """\
# This file is executed on every boot (including wake-boot from deepsleep)
#import esp
#esp.osdebug(None)
#import webrepl
#webrepl.start()
"""


def check_bootsec():
    first = bytearray(bdev.ioctl(5, 0))
    bdev.readblocks(0, first)
    if all(byte == 0xFF for byte in first):
        return True
    return fs_corrupted()


def fs_corrupted():
    micropython.kbd_intr(3)
    while True:
        print("The filesystem appears to be corrupted. Erase the flash, or press Ctrl-C.")
        time.sleep(3)


def setup():
    check_bootsec()
    print("Performing initial setup")
    vfs.VfsLfs2.mkfs(bdev)
    fs = vfs.VfsLfs2(bdev)
    vfs.mount(fs, "/")
    with open("boot.py", "w") as f:
        f.write(_BOOT_PY)
    return fs

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Small named records that survive power cuts. Not for bulk data: a record is read into RAM whole.

import asyncio
import errno
import os

from micropython import const

from . import log
from .errors import DeviceError
from .modules import borrow, borrowed

_MARK = const("/spoilt")
_LOOK_MS = const(1000)
_AGAIN_MS = const(60000)


class Store:
    # Not "/muster": on sys.path a folder of that name would pass for the package.
    def __init__(self, root="/muster-state"):
        self._root = root
        try:
            os.mkdir(root)
        except OSError as e:
            if e.errno != errno.EEXIST:
                raise DeviceError("storage_failed", "cannot make %s: %s" % (root, e))
        # Something secret was removed, and free space has not been overwritten since.
        self._is_spoilt = _MARK[1:] in os.listdir(root)

    # Returns the newest generation that checks, as what JSON makes of it; None if there is none.
    def load(self, name):
        return borrow("records", "load", self._root, name)

    # Writes a record whole or not at all. Raises DeviceError storage_failed, and then the former
    # record stands.
    def save(self, name, value):
        borrow("records", "save", self._root, name, value)

    # Copies the record under one name to the newest generation under another. Returns its size.
    # Raises DeviceError storage_failed.
    def promote(self, source, target):
        return borrow("records", "promote", self._root, source, target)

    # Returns how many generations of it check.
    def count(self, name):
        return borrow("records", "count", self._root, name)

    def erase(self, name):
        borrow("records", "erase", self._root, name)

    # Has free space overwritten soon, by this life or the next: something secret is about to be
    # removed.
    def spoil(self):
        if self._is_spoilt:
            return
        self._is_spoilt = True
        try:
            open(self._root + _MARK, "wb").close()
        except OSError as e:  # this life does it all the same
            log.error("store", "cannot write %s: %s" % (_MARK, e))

    # Overwrites free space whenever that is due.
    async def tidy(self):
        while True:
            await asyncio.sleep_ms(_LOOK_MS)
            if self._is_spoilt and not await self.overwrite():
                await asyncio.sleep_ms(_AGAIN_MS)

    # Overwrites free space now. Returns False if the flash, or the heap, has refused.
    async def overwrite(self):
        self._is_spoilt = False  # what is removed meanwhile wants another turn
        try:
            await borrowed("erasing", "overwrite", self._root)
            if not self._is_spoilt:
                os.remove(self._root + _MARK)
        except (OSError, MemoryError) as e:
            self._is_spoilt = True
            log.warn("store", "free space is overwritten later: %s" % e)
            return False
        return True

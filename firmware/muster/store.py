# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Small named records that survive power cuts. Not for bulk data: a record is read into RAM whole.

import errno
import os

from .errors import DeviceError
from .modules import borrow


class Store:
    # Not "/muster": on sys.path a folder of that name would pass for the package.
    def __init__(self, root="/muster-state"):
        self._root = root
        try:
            os.mkdir(root)
        except OSError as e:
            if e.errno != errno.EEXIST:
                raise DeviceError("storage_failed", "cannot make %s: %s" % (root, e))

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

    def erase(self, name):
        borrow("records", "erase", self._root, name)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# LittleFS on a block device in RAM whose power can be cut after so many flash operations.

import vfs

_BLOCK = 512
_BLOCKS = 64


class PowerCut(Exception):
    pass


class RAMDisk:
    def __init__(self, block=_BLOCK, blocks=_BLOCKS):
        self._block = block
        self._data = bytearray(block * blocks)
        self.operations = 0
        self.cut_at = None

    def readblocks(self, block, buf, offset=0):
        at = block * self._block + offset
        buf[:] = memoryview(self._data)[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self._operate()
        at = block * self._block + offset
        self._data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self._data) // self._block
        if op == 5:
            return self._block
        if op == 6:
            self._operate()
            at = arg * self._block
            self._data[at : at + self._block] = b"\xff" * self._block
        return 0

    def _operate(self):
        if self.cut_at is not None and self.operations >= self.cut_at:
            raise PowerCut
        self.operations += 1


# A fresh file system at path; called again with the same disk it is what a restart finds.
def mount(disk, path, is_new):
    if is_new:
        vfs.VfsLfs2.mkfs(disk)
    vfs.mount(vfs.VfsLfs2(disk), path)


def unmount(path):
    vfs.umount(path)

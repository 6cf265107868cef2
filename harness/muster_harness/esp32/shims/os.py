# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# os as an ESP32 has it: no environment, no shell, but uname and sync.

import host_link
import on_demand
from native import builtin

_native = builtin("os")

sep = "/"
VfsFat = _native.VfsFat
VfsLfs2 = _native.VfsLfs2
chdir = _native.chdir
getcwd = _native.getcwd
ilistdir = _native.ilistdir
listdir = _native.listdir
mkdir = _native.mkdir
mount = _native.mount
remove = _native.remove
rename = _native.rename
rmdir = _native.rmdir
stat = _native.stat
statvfs = _native.statvfs
umount = _native.umount
unlink = _native.unlink
urandom = _native.urandom


def uname():
    from collections import namedtuple

    return namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))(
        *host_link.request("uname")
    )


def sync():
    pass


def dupterm(stream, index=0):
    return on_demand.load("second_terminal").dupterm(stream, index)


def dupterm_notify(obj):
    on_demand.load("second_terminal").notify(obj)

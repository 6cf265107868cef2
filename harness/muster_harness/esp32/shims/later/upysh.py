# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# upysh, which an ESP32's firmware contains: a few commands of a shell, for `from upysh import *`.

import os
import sys

_FOLDER = 0x4000
_HELP = """
upysh is intended to be imported using:
from upysh import *

To see this help text again, type "man".

upysh commands:
clear, ls, ls(...), head(...), cat(...), newfile(...)
cp('src', 'dest'), mv('old', 'new'), rm(...)
pwd, cd(...), mkdir(...), rmdir(...)
"""


class Man:
    def __repr__(self):
        return _HELP


# At the prompt their names alone are enough.
class LS:
    def __repr__(self):
        self()
        return ""

    def __call__(self, path="."):
        entries = sorted(os.ilistdir(path))
        for entry in entries:
            if entry[1] == _FOLDER:
                print("    <dir> %s" % entry[0])
        for entry in entries:
            if entry[1] != _FOLDER:
                print("%9d %s" % (entry[3], entry[0]))
        fs = os.statvfs(path)
        print("\n%dk free" % (fs[1] * fs[3] // 1024))


class PWD:
    def __repr__(self):
        return os.getcwd()

    def __call__(self):
        return repr(self)


class CLEAR:
    def __repr__(self):
        return "\x1b[2J\x1b[H"

    def __call__(self):
        return repr(self)


def head(f, n=10):
    with open(f) as lines:
        for _ in range(n):
            line = lines.readline()
            if not line:
                break
            sys.stdout.write(line)


def cat(f):
    head(f, 1 << 30)


def cp(s, t):
    try:
        if os.stat(t)[0] & _FOLDER:
            t = t.rstrip("/") + "/" + s
    except OSError:
        pass
    with open(s, "rb") as source, open(t, "wb") as target:
        while piece := source.read(512):
            target.write(piece)


def newfile(path):
    print("Type file contents line by line, finish with EOF (Ctrl+D).")
    with open(path, "w") as file:
        while True:
            try:
                file.write(input() + "\n")
            except EOFError:
                break


def rm(d, recursive=False):
    try:
        if os.stat(d)[0] & _FOLDER and recursive:
            for entry in os.listdir(d):
                rm(d + "/" + entry, True)
            os.rmdir(d)
        else:
            os.remove(d)
    except OSError:
        print("rm of '%s' failed" % d)


man, pwd, ls, clear = Man(), PWD(), LS(), CLEAR()
cd, mkdir, mv, rmdir = os.chdir, os.mkdir, os.rename, os.rmdir

print(man)

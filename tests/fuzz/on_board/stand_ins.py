# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What parsers need around them and must not wait for: an event loop that runs one coroutine at
# once, a socket that says what it was given, files in RAM, and a firmware that keeps its modules.

import errno
import io
import sys


class _Loop:
    TimeoutError = type("TimeoutError", (Exception,), {})

    async def sleep_ms(self, ms):
        pass

    async def wait_for_ms(self, awaitable, ms):
        return await awaitable

    class Lock:
        async def __aenter__(self):
            pass

        async def __aexit__(self, *error):
            pass

    class Event:
        def __init__(self):
            self._is_set = False

        def set(self):
            self._is_set = True

        def is_set(self):
            return self._is_set

    def current_task(self):
        return self


# A server that has said everything already, in pieces of a size of its own.
class Peer:
    AF_INET, SOCK_STREAM, SOCK_DGRAM = 2, 1, 2
    said = b""
    piece = 128

    def getaddrinfo(self, *arguments):
        return [(2, 1, 0, "", (arguments[0], arguments[1]))]

    def socket(self, *arguments):
        self._at = 0
        return self

    def setblocking(self, flag):
        pass

    def connect(self, address):
        pass

    def close(self):
        pass

    def write(self, data):
        return len(data)

    def readinto(self, buf):
        part = self.said[self._at : self._at + min(len(buf), self.piece)]
        self._at += len(part)
        buf[: len(part)] = part
        return len(part)


peer = Peer()


# Everything is ready at once.
class Poller:
    POLLIN, POLLOUT = 1, 4

    def poll(self, *arguments):
        return self if not arguments else [True]

    def register(self, stream, event):
        pass

    modify = register


# Files in RAM, for records.py and identity.py.
class Files:
    def __init__(self):
        self.files = {}

    def open(self, path, mode="r"):
        if "w" in mode:
            return _Written(self.files, path)
        if path not in self.files:
            raise OSError(errno.ENOENT)
        return io.BytesIO(self.files[path])

    def rename(self, old, new):
        if old not in self.files:
            raise OSError(errno.ENOENT)
        self.files[new] = self.files.pop(old)

    def remove(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT)
        del self.files[path]

    def ilistdir(self, path):
        return iter([(name[1:], 0x8000, 0, len(self.files[name])) for name in self.files])

    def stat(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT)
        return (0x8000, 0, 0, 0, 0, 0, len(self.files[path]))


class _Written(io.BytesIO):
    def __init__(self, files, path):
        self._files = files
        self._path = path
        super().__init__()

    def close(self):
        self._files[self._path] = self.getvalue()

    def __exit__(self, *error):
        self.close()


# Runs a coroutine that never really waits.
def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as e:
        return e.value


def install():
    sys.modules["asyncio"] = _Loop()
    sys.modules["socket"] = peer
    sys.modules["select"] = Poller()
    from muster import log, modules

    modules.release = lambda *names: None
    log.print = lambda *words: None

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# select.poll that also hears the supervisor, so that interrupts arrive while a program polls.

import clock
import host_link
from native import builtin

_native = builtin("select")

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16


# Two native polls, because iterating must not allocate: asyncio does it all the time. One waits,
# for the program's objects and the supervisor; the other holds the program's objects alone, and
# is what the program iterates over.
class poll:
    def __init__(self):
        self._waiting = _native.poll()
        self._waiting.register(host_link.file, POLLIN)
        self._ready = _native.poll()

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        if isinstance(obj, int):  # a file descriptor, on the host
            raise OSError("stream operation not supported")
        self._waiting.register(obj, eventmask)
        self._ready.register(obj, eventmask)

    def unregister(self, obj):
        self._waiting.unregister(obj)
        self._ready.unregister(obj)

    def modify(self, obj, eventmask):
        self._waiting.modify(obj, eventmask)
        self._ready.modify(obj, eventmask)

    def poll(self, timeout=-1):
        self._wait(timeout)
        return self._ready.poll(0)

    def ipoll(self, timeout=-1, flags=0):
        self._wait(timeout)
        if not flags & 1:
            return self._ready.ipoll(0)
        ready = [(item[0], item[1]) for item in self._ready.ipoll(0, flags)]
        for item in ready:  # each only once, until it is modified
            self._waiting.modify(item[0], 0)
        return iter(ready)

    # Until one of the program's objects is ready, or so many milliseconds.
    def _wait(self, timeout):
        end = clock.now_ms() + timeout
        while True:
            host_link.refresh()
            host_link.deliver()
            left = max(0, end - clock.now_ms()) if timeout >= 0 else -1
            for item in host_link.wait(self._waiting, left):
                if item[0] is not host_link.file:
                    return
            if timeout >= 0 and left <= 0:
                return


# select.select exists on the ESP32, for files and sockets alike.
def select(rlist, wlist, xlist, timeout=None):
    p = poll()
    masks = {}
    for objects, mask in ((rlist, POLLIN), (wlist, POLLOUT), (xlist, POLLERR | POLLHUP)):
        for obj in objects:
            masks[id(obj)] = masks.get(id(obj), 0) | mask
            p.register(obj, masks[id(obj)])
    ready = ([], [], [])
    for obj, event in p.ipoll(-1 if timeout is None else int(timeout * 1000)):
        if event & POLLIN:
            ready[0].append(obj)
        if event & POLLOUT:
            ready[1].append(obj)
        if event & ~(POLLIN | POLLOUT):
            ready[2].append(obj)
    return ready

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# select.poll that also hears the supervisor, so that interrupts arrive while a program polls.

import supervisor
from native import builtin

_native = builtin("select")
_time = builtin("time")
_ticks_ms = _time.ticks_ms
_ticks_add = _time.ticks_add
_ticks_diff = _time.ticks_diff

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16


class poll:
    def __init__(self):
        self._poll = _native.poll()
        self._poll.register(supervisor.file, POLLIN)

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        self._poll.register(obj, eventmask)

    def unregister(self, obj):
        self._poll.unregister(obj)

    def modify(self, obj, eventmask):
        self._poll.modify(obj, eventmask)

    def poll(self, timeout=-1):
        return [tuple(item) for item in self.ipoll(timeout)]

    def ipoll(self, timeout=-1, flags=0):
        end = _ticks_add(_ticks_ms(), timeout)
        while True:
            supervisor.deliver()
            left = max(0, _ticks_diff(end, _ticks_ms())) if timeout >= 0 else -1
            found = heard = False
            for item in self._poll.ipoll(supervisor.nap(left), flags):
                if item[0] is supervisor.file:
                    heard = True
                else:
                    found = True
                    yield item
            if heard:
                if flags & 1:  # one-shot would leave the supervisor unheard
                    self._poll.modify(supervisor.file, POLLIN)
                supervisor.refresh()
            if found or (timeout >= 0 and left <= 0):
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

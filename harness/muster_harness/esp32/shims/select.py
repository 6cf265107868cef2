# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# select.poll that also hears the supervisor, so that interrupts arrive while a program polls.

import struct

import clock
import host_link
import uctypes
from arguments import integer
from host_sockets import HostSockets
from micropython import const
from native import builtin

_native = builtin("select")
_Socket = builtin("socket").socket
_ENOENT = const(2)
_NOTHING = iter(())
_WORD = struct.calcsize("P")

POLLIN = 1
POLLOUT = 4
POLLERR = 8
POLLHUP = 16


_told = (None, 0)
_words = uctypes.bytearray_at(id(_told) + 2 * _WORD, 2 * _WORD)


# Of ipoll() the interpreter tells everything in one tuple, of which only the contents change.
def _tell(item):
    struct.pack_into("PP", _words, 0, id(item[0]), id(item[1]))
    return _told


# What the interpreter itself polls: the supervisor, what lies below the board's sockets, and all
# objects that are no sockets of the board.
#
# It looks at objects without a file descriptor once a millisecond. So the board's own sockets are
# asked here, and only the sockets below them are waited on. What is told again is the same tuple:
# asyncio polls all the time, and on a board that takes no heap.
class poll:
    # Each [socket, mask, what was told last, native sockets waited on: 4]. What an instance has
    # not set takes none of the board's heap.
    _sockets = ()
    _others = ()

    def __init__(self):
        self._ready = []
        self._native = _native.poll()
        self._native.register(host_link.file, POLLIN)
        self._native.ipoll(0)  # makes its tuple: later the heap may be locked

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        if isinstance(obj, HostSockets):
            entry = self._entry(obj)
            if entry:
                entry[1] = integer(eventmask)
            else:
                entry = [obj, integer(eventmask), None, None, None, None, None]
                self._sockets = self._sockets or []
                self._sockets.insert(self._place(obj), entry)
            return
        if isinstance(obj, int):  # a file descriptor, on the host
            raise OSError("stream operation not supported")
        self._native.register(obj, eventmask)
        if self._other(obj) is None:
            self._others = self._others or []
            self._others.append(obj)

    def unregister(self, obj):
        entry = self._entry(obj)
        if entry:
            self._sockets.remove(entry)
            for native in entry[3:]:
                if native:
                    self._native.unregister(native)
            return
        at = self._other(obj)
        if at is not None:
            del self._others[at]
            self._native.unregister(obj)

    def modify(self, obj, eventmask):
        entry = self._entry(obj)
        if entry:
            entry[1] = integer(eventmask)
        elif self._other(obj) is None:
            raise OSError(_ENOENT)
        else:
            self._native.modify(obj, eventmask)

    def __repr__(self):
        return "<poll>"

    def poll(self, timeout=-1):
        return list(self._wait(timeout))

    def ipoll(self, timeout=-1, flags=0):
        ready = self._wait(timeout)
        if not ready:
            return _NOTHING
        if flags & 1:  # each only once, until it is modified
            for obj, _ in ready:
                self.modify(obj, 0)
        return map(_tell, ready)

    # Who connects hears of it before who listens does, by one segment of TCP.
    def _place(self, obj):
        at = len(self._sockets)
        if obj._backlog is None:
            while at and self._sockets[at - 1][0]._backlog is not None:
                at -= 1
        return at

    def _entry(self, obj):
        for entry in self._sockets:
            if entry[0] is obj:
                return entry
        return None

    def _other(self, obj):
        for at in range(len(self._others)):
            if self._others[at] is obj:
                return at
        return None

    # Until one of the program's objects is ready, or so many milliseconds; what is ready.
    def _wait(self, timeout):
        timeout = -1 if timeout is None else timeout
        end = clock.now_ms() + timeout
        ready = self._ready
        while True:
            host_link.refresh()
            host_link.deliver()
            self._ask_sockets()
            left = max(0, end - clock.now_ms()) if timeout >= 0 else -1
            if ready:
                left = 0
            if left or self._others:
                self._arm()
                for item in host_link.wait(self._native, left):
                    if item[0] is not host_link.file and not isinstance(item[0], _Socket):
                        ready.append((item[0], item[1]))
            if ready or timeout >= 0 and clock.now_ms() >= end:
                return ready

    def _ask_sockets(self):
        if self._ready:
            self._ready.clear()  # which a locked heap refuses
        for entry in self._sockets:
            event = entry[0].ioctl(3, entry[1])
            if event:
                told = entry[2]
                if told is None or told[1] != event:
                    told = entry[2] = (entry[0], event)
                self._ready.append(told)

    # Waits on the native sockets as they are now: they come and go with the board's networks.
    def _arm(self):
        for entry in self._sockets:
            mask = entry[1] & (POLLIN | POLLOUT | POLLHUP)
            for i in (0, 1, 2, 3):
                native = entry[0]._awaited(i) if mask else None
                before = entry[3 + i]
                if native is before:
                    if native:
                        self._native.modify(native, mask)
                    continue
                if before:
                    self._native.unregister(before)
                if native:
                    self._native.register(native, mask)
                entry[3 + i] = native


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

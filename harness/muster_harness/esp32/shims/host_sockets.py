# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What lies below one socket of the board: a native socket in each network that the board is in,
# never blocking; the waits are here, so that interrupts are delivered in them.

import addresses
import clock
import host_link
from arguments import real
from micropython import const
from native import builtin
from stream import Stream

_native = builtin("socket")
_select = builtin("select")

SOCK_STREAM = 1
SOCK_DGRAM = 2

_SHORT = 99  # ms: the port waits in steps of 100 ms, and a shorter wait ends as none does

_EBADF = const(9)
_EAGAIN = const(11)
_ETIMEDOUT = const(116)
_IN = const(1)
_FIRST_NUMBER = const(54)  # LWIP_SOCKET_OFFSET


class _End:
    # A native socket, and the state of the radio that it was made for.
    def __init__(self, link, native, port):
        self.epoch = link.epoch
        self.native = native
        self.port = port


class HostSockets(Stream):
    # What an instance has not set, which is most of it, takes none of the board's heap.
    _timeout = -1  # ms, -1 waits for ever
    _bound = None  # (address, port) as the program asked
    _backlog = None
    _is_connection = False  # of TCP, under way or made
    _is_closed = False
    _tls = 0  # number of the TLS stream on top of it, negative once that has spoken

    def __init__(self, type):
        self._type = type
        self._ends = [None, None, None, None]  # by interface; a connection has one
        self._poll = _select.poll()

    def settimeout(self, seconds):
        self._timeout = -1 if seconds is None else int(real(seconds) * 1000)
        if 0 < self._timeout < 100:
            self._timeout = _SHORT

    def setblocking(self, flag):
        self._timeout = -1 if flag else 0

    def makefile(self, *mode):
        return self

    # The lowest that nobody has, from where lwIP begins.
    def fileno(self):
        if self._is_closed:
            return -1
        while self not in _numbered:
            if None not in _numbered:
                _numbered.append(None)
            _numbered[_numbered.index(None)] = self
        return _FIRST_NUMBER + _numbered.index(self)

    def _give_number_back(self):
        if self in _numbered:
            _numbered[_numbered.index(self)] = None

    def __repr__(self):
        return "<socket>"

    # Being there: a connection lives as long as the link it was made on; a datagram or
    # listening socket is wherever the board is, and moves with it.
    def _is_up(self):
        host_link.refresh()
        moves = self._type == SOCK_DGRAM or self._backlog is not None
        if self._is_closed or not (moves or self._is_connection):
            return False
        up = False
        for i in (0, 1, 2, 3):
            link = host_link.links[i]
            end = self._ends[i]
            if moves and end and end.epoch != link.epoch:
                self._drop(i)
                end = None
            if moves and not end and link.address and self._is_for(link):
                end = self._settle(i)
            up = up or end and end.epoch == link.epoch
        return up

    def _is_for(self, link):
        return not self._bound or self._bound[0] in (addresses.ANY, link.address)

    # Opens the end in one network, where the program wants it.
    def _settle(self, i, native=None):
        link = host_link.links[i]
        port = self._bound[1] if self._bound else 0
        if native is None:
            native = _native.socket(2, self._type)
            try:
                port = self._bind(native, link.address, port)
                if self._backlog is not None:
                    native.listen(self._backlog)
            except OSError as e:
                native.close()
                raise addresses.newlib(e)
        native.setblocking(False)
        self._poll.register(native, 0)
        self._ends[i] = _End(link, native, port)
        return self._ends[i]

    def _bind(self, native, address, port):
        if not port and self._type == SOCK_DGRAM:
            return addresses.bind_somewhere(native, address)
        native.setsockopt(_native.SOL_SOCKET, _native.SO_REUSEADDR, 1)
        native.bind(addresses.to_host(address, port))
        return port

    def _drop(self, i):
        native = self._ends[i].native
        self._ends[i] = None
        self._poll.unregister(native)
        native.close()

    # Repeats a function of a native socket until it does something, as long as the
    # timeout (ms, -1 for ever) says.
    def _until_done(self, mask, timeout, function, *args):
        start = clock.now_ms()
        while True:
            up = self._is_up()
            if self._is_closed:
                raise OSError(_EBADF)
            if up:
                done = self._attempt(function, args)
                if done is not None:
                    return done
            if timeout == 0:
                raise OSError(_EAGAIN)
            left = -1
            if timeout > 0:
                left = timeout - (clock.now_ms() - start)
                if left <= 0:
                    raise OSError(_EAGAIN if timeout == _SHORT else _ETIMEDOUT)
            self._wait(mask if up else 0, left)

    def _attempt(self, function, args):
        for end in self._ends:
            if end:
                try:
                    done = function(end.native, *args)
                    if done is not None:
                        return done
                except OSError as e:
                    if e.errno != _EAGAIN:
                        raise addresses.newlib(e)
        return None

    def _wait(self, mask, ms):
        if host_link.deliver():
            return
        p = _select.poll()
        p.register(host_link.file, _IN)
        if mask:
            for end in self._ends:
                if end:
                    p.register(end.native, mask)
        host_link.wait(p, ms)

    # What is ready of a mask of poll events.
    def _ready(self, mask):
        for end in self._ends:
            if end:
                self._poll.modify(end.native, mask)
        events = 0
        for _, event in self._poll.ipoll(0):
            events |= event
        return events

    # No FIN reaches a peer that is out of range: the native socket of a connection that was cut
    # off stays open until the board's end.
    def _close_all(self):
        self._is_closed = True
        for i in (0, 1, 2, 3):
            end = self._ends[i]
            if end and self._is_connection and end.epoch != host_link.links[i].epoch:
                _abandoned.append(end.native)
            elif end:
                end.native.close()
            self._ends[i] = None


_abandoned = []
_numbered = []  # sockets that were asked for their number

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# socket as lwIP on an ESP32 shows it: plain tuples, newlib error numbers, and no way past the
# networks that the board is in. An address of another network is unreachable; when the radio
# goes off, established connections fall silent.

from binascii import hexlify

import addresses
import clock
import host_link
import on_demand
from arguments import integer, items
from held import Held
from host_sockets import _SHORT, SOCK_DGRAM, SOCK_STREAM, HostSockets
from micropython import const
from native import builtin

_native = builtin("socket")

AF_INET = 2
AF_INET6 = 10
SOCK_RAW = 3
IPPROTO_IP = 0
IPPROTO_TCP = 6
IPPROTO_UDP = 17
SOL_SOCKET = 4095
SO_REUSEADDR = 4
SO_BROADCAST = 32
SO_BINDTODEVICE = 4107
IP_ADD_MEMBERSHIP = 3
MSG_PEEK = 1
MSG_DONTWAIT = 8
TCP_NODELAY = 1

_EBADF = const(9)
_EAGAIN = const(11)
_EINVAL = const(22)
_EOPNOTSUPP = const(95)
_ETIMEDOUT = const(116)
_EHOSTUNREACH = const(118)
_EINPROGRESS = const(119)
_EALREADY = const(120)
_EISCONN = const(127)
_ENOTCONN = const(128)
_IN = const(1)
_OUT = const(4)
_ERR = const(8)
_HUP = const(16)
_NVAL = const(32)
_SILENT_BUFFER = const(
    5744
)  # lwIP's TCP_SND_BUF: what a sender may fill before it notices the silence
_REPORT = const(4096)
_LONGEST = const(1500)  # a datagram that is not in pieces
_CALLBACK = const(20)  # an option: runs while the socket can be read
_ITSELF = const(2)  # the link on which the board speaks to itself


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    port = addresses.service(port)
    address = addresses.resolve(host)
    return [(AF_INET, type or SOCK_STREAM, proto, host or address, (address, port))]


class socket(HostSockets):
    _peer = None  # of a datagram socket
    _number = 0  # of the connection in the air's trace
    _error = 0  # of connect(), None until it is known
    _tx = _rx = _unreported = _swallowed = 0
    _eof = False
    _arrived = ()

    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0):
        for number in (af, type, proto):
            integer(number)
        if af != AF_INET or type not in (SOCK_STREAM, SOCK_DGRAM):
            raise OSError(106 if af != AF_INET else 93)
        super().__init__(type)
        if type == SOCK_DGRAM:
            self._arrived = []  # datagrams that the air has held back

    def _count(self, tx, rx):
        clock.touch()
        if self._tls > 0:
            self._tls = -self._tls
            host_link.request("tls", "handshake", -self._tls, host_link.heap_used())
        self._tx += tx
        self._rx += rx
        self._unreported += tx + rx
        if self._unreported >= _REPORT:
            self._report()

    def _report(self):
        if self._number and self._unreported:
            host_link.notify("bytes", self._number, self._tx, self._rx)
        self._unreported = 0

    # -- as on the board

    def setsockopt(self, level, option, value):
        if option in (SO_REUSEADDR, SO_BROADCAST, TCP_NODELAY):
            integer(value)
        elif option == IP_ADD_MEMBERSHIP and len(memoryview(value)) != 8:
            raise ValueError
        if option == _CALLBACK:
            on_demand.load("second_terminal").watch(self, value)
        elif option not in (SO_REUSEADDR, SO_BROADCAST, SO_BINDTODEVICE, TCP_NODELAY, 3):
            print("Warning: lwip.setsockopt() option not implemented")

    def bind(self, address):
        items(address, 2)
        port = addresses.service(address[1])
        self._bound = (addresses.resolve(address[0]), port)
        if self._bound[0] != addresses.ANY and not any(map(self._is_for, host_link.links)):
            raise OSError(125)
        if self._type == SOCK_DGRAM:
            self._is_up()

    def listen(self, backlog=2):
        if self._type == SOCK_DGRAM:
            raise OSError(_EOPNOTSUPP)
        self._backlog = max(0, integer(backlog))
        self._is_up()

    def accept(self):
        if self._backlog is None and not self._is_closed:
            raise OSError(_EOPNOTSUPP if self._type == SOCK_DGRAM else _EINVAL)
        while True:
            native, raw = self._until_done(_IN, self._timeout, _accept)
            peer = addresses.to_board(raw)
            i = addresses.interface_to(peer[0])
            if i is not None:
                break
            native.close()  # on this host everyone can knock; in the air nobody else could
        accepted = socket()
        accepted._is_connection = True
        accepted._settle(i, native)
        if i != _ITSELF:
            accepted._number = host_link.request("accept", peer[0], peer[1])
        _talking.add(id(accepted))
        return accepted, peer

    def connect(self, address):
        items(address, 2)
        port = addresses.service(address[1])
        target = addresses.resolve(address[0])
        host_link.refresh()
        i = _interface_to(target)
        if self._type == SOCK_DGRAM:
            self._peer = (target, port)
            return
        if self._is_connection:
            raise OSError(_EALREADY if self._is_pending() else self._error or _EISCONN)
        native = self._from(i)
        try:
            if i != _ITSELF:
                self._number, target, port = host_link.request("connect", target, port)
            native.connect(addresses.to_host(target, port))  # a relay of this host's
        except OSError as e:
            native.close()
            raise addresses.newlib(e)
        self._backlog = None
        self._is_connection = True
        self._settle(i, native)
        if i == _ITSELF:
            if self._timeout == 0:
                raise OSError(_EINPROGRESS)
            return
        self._error = None
        host_link.outcomes[self._number] = None
        _talking.add(id(self))
        if self._timeout == 0:
            raise OSError(_EINPROGRESS)
        timeout = 100 if self._timeout == _SHORT else self._timeout
        self._until_done(0, timeout, self._is_answered)
        if self._error:
            raise OSError(self._error)

    # Whether it is not known yet how connect() went.
    def _is_pending(self):
        if self._error is None:
            host_link.refresh()
            error = host_link.outcomes.get(self._number)
            if error is not None:
                del host_link.outcomes[self._number]
                self._error = addresses.newlib(OSError(error)).errno
        return self._error is None

    def _is_answered(self, native):
        return None if self._is_pending() else True

    # A native socket that speaks from the board's address.
    def _from(self, i):
        native = _native.socket(2, SOCK_STREAM)
        try:
            self._bind(native, host_link.links[i].address, self._bound[1] if self._bound else 0)
        except OSError as e:
            native.close()
            raise addresses.newlib(e)
        return native

    # A blocking send() takes all it is given, unless time runs out.
    def send(self, data):
        if self._type == SOCK_DGRAM and self._peer:
            return self.sendto(data, self._peer)
        self._require_peer()
        sent = self._send_some(data)
        while sent < len(data) and self._timeout:
            try:
                sent += self._send_some(memoryview(data)[sent:])
            except OSError as e:
                if e.errno != _ETIMEDOUT:
                    raise
                break
        return sent

    def _send_some(self, data):
        if not self._is_closed and not self._is_up():
            # lwIP takes what fits into its buffer and retransmits into the void
            n = min(len(data), _SILENT_BUFFER - self._swallowed)
            self._swallowed += n
            if n:
                return n
        return self._until_done(_OUT, self._timeout, self._send, data)

    def _send(self, native, data):
        sent = native.send(data)
        self._count(sent, 0)
        return sent

    def sendall(self, data):
        if self.send(data) < len(data):
            raise OSError(_ETIMEDOUT)

    def recv(self, n, flags=0):
        if self._type == SOCK_DGRAM:
            return self.recvfrom(n, flags)[0]
        self._require_peer()
        if self._eof:
            return b""
        timeout = 0 if flags & MSG_DONTWAIT else self._timeout
        data = self._until_done(_IN, timeout, self._recv, n, flags)
        if not data and n:
            self._eof = True
        return data

    def _recv(self, native, n, flags):
        if flags & MSG_PEEK:
            return native.recv(n, _native.MSG_PEEK)
        data = native.recv(n)
        self._count(0, len(data))
        return data

    def _require_peer(self):
        if self._is_closed:
            raise OSError(_EBADF)
        if not self._is_connection:
            raise OSError(_ENOTCONN)
        while self._is_pending():
            if self._timeout == 0:
                raise OSError(_EAGAIN)
            self._until_done(0, self._timeout, self._is_answered)
        if self._error:
            raise OSError(self._error)

    def sendto(self, data, address):
        target = addresses.numeric(address[0])
        port = int(address[1]) & 0xFFFF
        if not self._is_up():
            raise OSError(_EHOSTUNREACH)
        i = _interface_to(target)
        if not self._ends[i]:
            raise OSError(_EHOSTUNREACH)
        _talking.add(id(self))
        delays_ms = None
        if i != _ITSELF:
            own = self._ends[i].port
            delays_ms = host_link.request("datagram", "tx", target, port, len(data), own)
        if delays_ms is None:
            self._transmit(self._ends[i], data, target, port)
        else:
            end, data = self._ends[i], bytes(data)
            for ms in delays_ms:
                Held(ms, lambda: self._transmit(end, data, target, port))
        return len(data)

    def _transmit(self, end, data, target, port):
        if end not in self._ends or self._is_closed:
            return
        if addresses.is_group(target):  # nobody else has joined one
            if target == "224.0.0.251" and port == 5353:
                host_link.notify("mdns", end.port, hexlify(data))
            return
        try:
            end.native.sendto(data, addresses.to_host(target, port))
        except OSError as e:
            raise addresses.newlib(e)

    def recvfrom(self, n, flags=0):
        if self._type == SOCK_STREAM:
            return self.recv(n, flags), None
        timeout = 0 if flags & MSG_DONTWAIT else self._timeout
        longest = _LONGEST if flags & MSG_PEEK else n
        data, peer = self._until_done(_IN, timeout, self._recvfrom, longest)
        if flags & MSG_PEEK:
            self._arrived.insert(0, (data, peer))
        return data[:n], peer

    def _recvfrom(self, native, n):
        if self._arrived:
            return self._arrived.pop(0)
        data, raw = native.recvfrom(n)
        peer = addresses.to_board(raw)
        i = addresses.interface_to(peer[0])
        if i is None or self._peer not in (None, peer):
            return None
        delays_ms = None
        if i != _ITSELF:
            own = self._ends[i].port
            delays_ms = host_link.request("datagram", "rx", peer[0], peer[1], len(data), own)
        if delays_ms is None:
            return data, peer
        for ms in delays_ms:
            Held(ms, lambda: self._arrived.append((data, peer)))
        return None

    def ioctl(self, request, arg):
        if request == 3:
            if self._is_closed:
                return _NVAL
            if self._is_up():
                return self._polled(arg)
            # an unconnected TCP socket is writable and hung up, a cut-off one silent
            new = self._type == SOCK_STREAM and not self._is_connection and self._backlog is None
            return (arg & _OUT) | _HUP if new else 0
        if request == 4:
            self.close()
            return 0
        return -22

    # As lwIP's select() tells it: what has failed or ended is readable and writable, and nothing
    # is told that was not asked for.
    def _polled(self, asked):
        if self._is_connection and self._is_pending():
            return 0
        events = _HUP if self._error else self._ready(asked)
        if events & (_HUP | _ERR):
            return asked & (_IN | _OUT | _HUP)
        return events | (asked & _IN if self._arrived else 0)

    # The native socket of one end, if waiting on it says something of this one.
    def _awaited(self, i):
        end = self._ends[i]
        if not end or end.epoch != host_link.links[i].epoch:
            return None
        return None if self._is_connection and self._is_pending() else end.native

    def close(self):
        if self._is_closed:
            return
        if self._tls:
            host_link.notify("tls", "end", abs(self._tls))
        self._report()
        if self._number:
            host_link.notify("close", self._number)
            host_link.outcomes.pop(self._number, None)
        if id(self) in _talking:
            _talking.remove(id(self))
            if not _talking:
                clock.rest()
        self._give_number_back()
        host_link.refresh()
        self._close_all()


_talking = set()  # the ids of open sockets that may wait for an answer


# What is in no network of the board goes to a router, if the station's network has one; whether
# that takes it, the supervisor says.
def _interface_to(target):
    i = addresses.interface_to(target)
    if i is None:
        if not host_link.links[0].address:
            raise OSError(_EHOSTUNREACH)
        i = 0
    return i


def _accept(native):
    return native.accept()

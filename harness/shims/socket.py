# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# socket as lwIP on an ESP32 shows it: plain tuples, newlib error numbers, and no way past the
# network that the board has joined. A native socket does the work, never blocking; the waits are
# here, so that interrupts are delivered in them. An address of another network is unreachable;
# when the radio goes off, established connections fall silent.

from binascii import hexlify

import addresses
import clock
import supervisor
from native import builtin
from stream import Stream

_native = builtin("socket")
_select = builtin("select")

AF_INET = 2
AF_INET6 = 10
SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
IPPROTO_IP = 0
IPPROTO_ICMP = 1
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_IPV6 = 41
SOL_SOCKET = 4095
SO_REUSEADDR = 4
SO_BROADCAST = 32
SO_BINDTODEVICE = 4107
IP_ADD_MEMBERSHIP = 3
IP_DROP_MEMBERSHIP = 4
MSG_PEEK = 1
MSG_DONTWAIT = 8
TCP_NODELAY = 1

_EAGAIN = 11
_ETIMEDOUT = 116
_EHOSTUNREACH = 118
_EINPROGRESS = 119
_ENOTCONN = 128
_IN = 1
_OUT = 4
_SILENT_BUFFER = 5744  # lwIP's TCP_SND_BUF: what a sender may fill before it notices the silence
_REPORT = 4096


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0):
    return [(AF_INET, type or SOCK_STREAM, proto, host, (addresses.resolve(host), int(port)))]


class socket(Stream):
    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0, _accepted=None):
        if af != AF_INET or type not in (SOCK_STREAM, SOCK_DGRAM):
            raise OSError(106 if af != AF_INET else 93)
        self._type = type
        self._timeout = -1  # ms, -1 waits for ever
        self._bound = None  # (address, port) as the program asked
        self._backlog = None
        self._number = 0  # of the connection in the air's trace
        self._tx = self._rx = self._unreported = self._swallowed = 0
        self._eof = False
        self._open_native(_accepted)
        self._epoch = supervisor.link.epoch if _accepted else -1

    def _open_native(self, native=None):
        self._native = native or _native.socket(2, self._type)
        self._native.setblocking(False)
        self._poll = _select.poll()
        self._poll.register(self._native, 0)

    # Being there: connected sockets live as long as the link they were made on; a datagram or
    # listening socket moves to the board's new address.
    def _is_up(self):
        supervisor.refresh()
        link = supervisor.link
        if link.address is None or self._native is None:
            return False
        if self._epoch == link.epoch:
            return True
        if self._type == SOCK_STREAM and self._backlog is None:
            return False
        if self._epoch != -1:
            self._native.close()
            self._open_native()
        self._settle()
        return True

    def _settle(self):
        address = supervisor.link.address
        port = addresses.host_port(self._bound[1]) if self._bound else 0
        if port or self._type == SOCK_STREAM:
            self._native.setsockopt(_native.SOL_SOCKET, _native.SO_REUSEADDR, 1)
            self._call(self._native.bind, _native.getaddrinfo(address, port)[0][-1])
        else:
            port = addresses.bind_somewhere(self._native, address)
        self._port = port
        if self._backlog is not None:
            self._call(self._native.listen, self._backlog)
        self._epoch = supervisor.link.epoch

    def _call(self, function, *args):
        try:
            return function(*args)
        except OSError as e:
            raise addresses.newlib(e)

    # Repeats a call of the native socket until it does something, as long as the
    # timeout (ms, -1 for ever) says.
    def _until_done(self, mask, timeout, function, *args):
        start = clock.now_ms()
        while True:
            up = self._is_up()
            if self._native is None:
                raise OSError(9)
            if up:
                try:
                    done = function(*args)
                    if done is not None:
                        return done
                except OSError as e:
                    if e.errno != _EAGAIN:
                        raise addresses.newlib(e)
            if timeout == 0:
                raise OSError(_EAGAIN)
            left = -1
            if timeout > 0:
                left = timeout - (clock.now_ms() - start)
                if left <= 0:
                    raise OSError(_ETIMEDOUT)
            self._wait(mask if up else 0, left)

    def _wait(self, mask, ms):
        if supervisor.deliver():
            return
        p = _select.poll()
        p.register(supervisor.file, _IN)
        if mask:
            p.register(self._native, mask)
        supervisor.wait(p, ms)

    def _count(self, tx, rx):
        clock.touch()
        self._tx += tx
        self._rx += rx
        self._unreported += tx + rx
        if self._unreported >= _REPORT:
            self._report()

    def _report(self):
        if self._number and self._unreported:
            supervisor.notify("bytes", self._number, self._tx, self._rx)
        self._unreported = 0

    # -- as on the board

    def settimeout(self, seconds):
        self._timeout = -1 if seconds is None else int(seconds * 1000)

    def setblocking(self, flag):
        self._timeout = -1 if flag else 0

    def setsockopt(self, level, option, value):
        if option not in (SO_REUSEADDR, SO_BROADCAST, SO_BINDTODEVICE, TCP_NODELAY, 3, 20):
            print("Warning: lwip.setsockopt() option not implemented")

    def makefile(self, *mode):
        return self

    def fileno(self):
        return self._native.fileno()

    def bind(self, address):
        self._bound = (addresses.resolve(address[0]), int(address[1]))
        if self._bound[0] not in (addresses.ANY, supervisor.link.address):
            raise OSError(125)
        if self._type == SOCK_DGRAM:
            self._is_up()

    def listen(self, backlog=2):
        self._backlog = max(0, backlog)
        self._is_up()

    def accept(self):
        while True:
            native, raw = self._until_done(_IN, self._timeout, self._native_accept)
            peer = addresses.to_board(raw)
            if addresses.is_reachable(peer[0]):
                break
            native.close()  # on this host everyone can knock; in the air nobody else could
        accepted = socket(AF_INET, SOCK_STREAM, 0, native)
        accepted._number = supervisor.request("accept", peer[0], peer[1])
        return accepted, peer

    def _native_accept(self):
        return self._native.accept()

    def connect(self, address):
        target = addresses.resolve(address[0])
        port = int(address[1])
        supervisor.refresh()
        if not addresses.is_reachable(target):
            raise OSError(_EHOSTUNREACH)
        if self._type == SOCK_DGRAM:
            self._is_up()
            return self._call(self._native.connect, addresses.to_host(target, port))
        self._number, target, port = supervisor.request("connect", target, port)
        self._backlog = None
        self._port = self._bound[1] if self._bound else 0
        self._call(
            self._native.bind, _native.getaddrinfo(supervisor.link.address, self._port)[0][-1]
        )
        self._epoch = supervisor.link.epoch
        raw = addresses.to_host(target, port)
        try:
            return self._native.connect(raw)
        except OSError as e:
            if e.errno not in (_EAGAIN, 115):
                raise addresses.newlib(e)
        if self._timeout == 0:
            raise OSError(_EINPROGRESS)
        self._until_done(_OUT, self._timeout, self._is_connected, raw)
        return None

    # A second connect() tells how the first one went.
    def _is_connected(self, raw):
        if not any(True for _ in self._ready(_OUT)):
            return None
        try:
            self._native.connect(raw)
        except OSError as e:
            if e.errno == 106:  # EISCONN: done
                return True
            raise
        return True

    def _ready(self, mask):
        self._poll.modify(self._native, mask)
        return self._poll.ipoll(0)

    def send(self, data):
        self._require_peer()
        if self._native is not None and not self._is_up():
            # lwIP takes what fits into its buffer and retransmits into the void
            n = min(len(data), _SILENT_BUFFER - self._swallowed)
            self._swallowed += n
            if n:
                return n
        return self._until_done(_OUT, self._timeout, self._native_send, data)

    def _native_send(self, data):
        sent = self._native.send(data)
        self._count(sent, 0)
        return sent

    def sendall(self, data):
        view = memoryview(data)
        while len(view):
            view = view[self.send(view) :]

    def recv(self, n, flags=0):
        self._require_peer()
        if self._eof:
            return b""
        timeout = 0 if flags & MSG_DONTWAIT else self._timeout
        data = self._until_done(_IN, timeout, self._native_recv, n, flags)
        if not data and n and self._type == SOCK_STREAM:
            self._eof = True
        return data

    def _native_recv(self, n, flags):
        if flags & MSG_PEEK:
            return self._native.recv(n, _native.MSG_PEEK)
        data = self._native.recv(n)
        self._count(0, len(data))
        return data

    def _require_peer(self):
        if self._type == SOCK_STREAM and self._epoch == -1:
            raise OSError(_ENOTCONN)

    def sendto(self, data, address):
        target = addresses.resolve(address[0])
        port = int(address[1])
        if not self._is_up():
            raise OSError(_EHOSTUNREACH)
        supervisor.notify("datagram", "tx", target, port, len(data))
        if addresses.is_group(target):
            if target == "224.0.0.251" and port == 5353:
                supervisor.notify("mdns", self._port, hexlify(data))
            return len(data)  # nobody else has joined a group
        if not addresses.is_reachable(target):
            raise OSError(_EHOSTUNREACH)
        return self._call(self._native.sendto, data, addresses.to_host(target, port))

    def recvfrom(self, n, flags=0):
        if self._type == SOCK_STREAM:
            return self.recv(n, flags), None
        return self._until_done(_IN, self._timeout, self._native_recvfrom, n)

    def _native_recvfrom(self, n):
        data, raw = self._native.recvfrom(n)
        peer = addresses.to_board(raw)
        if not addresses.is_reachable(peer[0]):
            return None
        supervisor.notify("datagram", "rx", peer[0], peer[1], len(data))
        return data, peer

    def ioctl(self, request, arg):
        if request == 3:
            if self._native is None:
                return 32  # POLLNVAL
            if not self._is_up():
                # an unconnected TCP socket is writable and hung up, a cut-off one silent
                new = self._type == SOCK_STREAM and self._epoch == -1 and self._backlog is None
                return (arg & _OUT) | 16 if new else 0
            for _, event in self._ready(arg):
                return event
            return 0
        if request == 4:
            self.close()
            return 0
        return -22

    def close(self):
        if self._native is None:
            return
        self._report()
        if self._number:
            supervisor.notify("close", self._number)
        cut_off = self._type == SOCK_STREAM and self._backlog is None and not self._is_up()
        if cut_off and self._epoch != -1:
            _abandoned.append(self._native)  # no FIN reaches a peer that is out of range
        else:
            self._native.close()
        self._native = None


_abandoned = []

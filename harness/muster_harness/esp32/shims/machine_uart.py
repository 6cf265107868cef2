# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.UART as a stream that can be polled; its other end is the test's (parts/buses.py).

import io
from binascii import hexlify, unhexlify

import host_link
from arguments import integer
from pin import number


class UART(io.IOBase):
    INV_RX = 4
    INV_TX = 32
    INV_RTS = 64
    INV_CTS = 8
    RTS = 1
    CTS = 2

    def __init__(self, id, baudrate=115200, bits=8, parity=None, stop=1, **settings):
        self._id = integer(id)
        if not 0 <= self._id < host_link.chip["uarts"]:
            raise ValueError("UART(%d) does not exist" % self._id)
        self.init(baudrate, bits, parity, stop, **settings)

    def init(
        self,
        baudrate=115200,
        bits=8,
        parity=None,
        stop=1,
        *,
        tx=None,
        rx=None,
        rts=None,
        cts=None,
        txbuf=256,
        rxbuf=256,
        timeout=0,
        timeout_char=0,
        invert=0,
        flow=0,
        pins=None,
    ):
        for pin in (tx, rx, rts, cts):
            if pin is not None:
                number(pin)
        for value in (baudrate, bits, stop, timeout):
            integer(value)
        self._timeout = timeout

    def deinit(self):
        pass

    def any(self):
        return host_link.request("uart", self._id, "any")

    # What is there, at most n bytes; before that, `timeout` milliseconds for the first of them.
    def _take(self, n):
        if not self.any() and self._timeout:
            host_link.sleep(self._timeout)
        return unhexlify(host_link.request("uart", self._id, "read", n))

    def read(self, n=-1):
        return self._take(self.any() if n < 0 else integer(n)) or None

    def readinto(self, buf, n=-1):
        view = memoryview(buf)
        data = self._take(len(view) if n < 0 else min(integer(n), len(view)))
        view[: len(data)] = data
        return len(data) or None

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self._take(1)
            if not byte:
                break
            line += byte
        return line or None

    def write(self, buf, *bounds):
        if bounds:
            off, n = bounds if len(bounds) == 2 else (0, bounds[0])
            buf = memoryview(buf)[off : off + n]
        host_link.request("uart", self._id, "write", hexlify(memoryview(buf)))
        return len(buf)

    def flush(self):
        pass

    def txdone(self):
        return True

    def sendbreak(self):
        pass

    def ioctl(self, request, arg):
        if request == 3:
            return arg & (5 if self.any() else 4)
        return 0 if request in (1, 4) else -22

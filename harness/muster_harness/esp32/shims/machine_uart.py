# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.UART as a stream that can be polled; its other end is the test's (parts/buses.py), or a
# UART that it is wired to. What is sent takes its time on the line.

import io
from binascii import hexlify, unhexlify

import clock
import host_link
from arguments import integer
from micropython import const
from pin import number

_FIFO = const(128)
_AWAKE_US = const(1500)
_IRQS = const(0x1003)
_uarts = {}  # by id: those whose interrupts are wanted


class IRQ:
    def __init__(self, uart):
        self._uart = uart

    def __call__(self):
        self._uart._handler(self._uart)

    def flags(self):
        return self._uart._flags

    def trigger(self, *trigger):
        before = self._uart._trigger
        if trigger:
            self._uart._listen(self._uart._handler, integer(trigger[0]))
        return before


class UART(io.IOBase):
    INV_RX = 4
    INV_TX = 32
    INV_RTS = 64
    INV_CTS = 8
    RTS = 1
    CTS = 2
    IRQ_RX = 1
    IRQ_BREAK = 2
    IRQ_RXIDLE = 4096

    _handler = None
    _trigger = _flags = _idle_at = 0

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
        pins = [None if pin is None else number(pin) for pin in (tx, rx, rts, cts)]
        for value in (baudrate, bits, stop, timeout, timeout_char, txbuf):
            integer(value)
        self._timeout = timeout
        self._timeout_char = timeout_char
        self._room = txbuf + _FIFO
        frame_bits = 1 + bits + (parity is not None) + stop
        self._frame_us = frame_bits * 1000000 / max(1, baudrate)
        host_link.request("uart", self._id, "pins", pins[:2])

    def deinit(self):
        self._listen(None, 0)

    # Without arguments it only gives the object.
    def irq(self, *args, **kwargs):
        if args or kwargs:
            self._configure(*args, **kwargs)
        return IRQ(self)

    def _configure(self, handler=None, trigger=0, hard=False):
        if hard:
            raise ValueError("hard IRQ is not supported")
        trigger = integer(trigger)
        if trigger & ~_IRQS:
            raise ValueError("trigger 0x%04x unsupported" % (trigger & ~_IRQS))
        self._listen(handler, trigger)

    def _listen(self, handler, trigger):
        self._handler = handler
        self._trigger = trigger if handler else 0
        _uarts[self._id] = self
        host_link.request("uart", self._id, "irq", self._trigger)

    def any(self):
        return host_link.request("uart", self._id, "any")

    # What is there, at most n bytes; before that, `timeout` milliseconds for the first of them and
    # `timeout_char` for each further one.
    def _take(self, n):
        taken = unhexlify(host_link.request("uart", self._id, "read", n))
        patience = self._timeout_char if taken else self._timeout
        end = clock.now_ms() + patience
        while len(taken) < n and clock.now_ms() < end:
            host_link.sleep(1)
            more = unhexlify(host_link.request("uart", self._id, "read", n - len(taken)))
            if more:
                taken += more
                end = clock.now_ms() + self._timeout_char
        return taken

    def read(self, n=-1):
        if n < 0:
            return self._take(self.any() or int(self._timeout > 0)) or None
        return self._take(integer(n)) or None

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
        view = memoryview(buf)
        takes_us = int(len(view) * self._frame_us)
        self._idle_at = max(self._idle_at, clock.now_us()) + takes_us
        host_link.request("uart", self._id, "write", hexlify(view))
        self._wait_until(self._idle_at - int(self._room * self._frame_us))
        return len(view)

    def flush(self):
        self._wait_until(self._idle_at)

    # Nothing else of the program runs meanwhile: the port waits in C. A host sleeps longer than it
    # is asked to, so the last part is spent awake.
    def _wait_until(self, us):
        left = us - clock.now_us()
        if left > _AWAKE_US:
            clock.sleep_us(left - _AWAKE_US)
        while clock.now_us() < us:
            pass

    def txdone(self):
        return clock.now_us() >= self._idle_at

    def sendbreak(self):
        self.flush()
        host_link.request("uart", self._id, "break")

    def ioctl(self, request, arg):
        if request == 3:
            return arg & (5 if self.any() else 4)
        if request == 1:
            self.flush()
        return 0 if request in (1, 4) else -22


def _on_event(id, flags):
    uart = _uarts.get(id)
    if uart and uart._handler and flags & uart._trigger:
        uart._flags = flags
        uart._handler(uart)


host_link.handlers["uart"] = _on_event

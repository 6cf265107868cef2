# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.I2S: samples that the host hears, or gives, at the pace of the sample rate. Sounds wait
# in the internal buffer; with irq() the program is told, with a poll it asks.

import io
from array import array
from binascii import hexlify, unhexlify

import clock
import host_link
from arguments import integer
from micropython import const
from pin import number

_EPERM = const(1)
_POLL = const(3)
_objects = {}


class _Due:
    def __init__(self, us, function):
        self.due = us // 1000 + 1
        self._function = function
        host_link.timers.append(self)

    def fire(self, now):
        host_link.timers.remove(self)
        self._function()


class I2S(io.IOBase):
    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __new__(cls, id, **settings):
        id = integer(id)
        if not 0 <= id < host_link.chip["i2s"]:
            raise ValueError("invalid id")
        if id not in _objects:
            _objects[id] = object.__new__(cls)
            _objects[id]._id = id
        return _objects[id]

    def __init__(self, id, **settings):
        self.init(**settings)

    def init(self, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        pins = [number(pin) for pin in (sck, ws, sd)]
        if mode not in (self.RX, self.TX):
            raise ValueError("invalid mode")
        if bits not in (16, 32):
            raise ValueError("invalid bits")
        if format not in (self.MONO, self.STEREO):
            raise ValueError("invalid format")
        self._settings = mode, bits, format, integer(rate), integer(ibuf)
        self._pins = pins
        self._us = 1000000 / (rate * bits // 8 * (1 + format))  # of a byte
        self._handler = None
        self._is_polled = False
        self._idle_at = clock.now_us()

    def deinit(self):
        self._settings = None

    def _require(self, mode):
        if self._settings is None or self._settings[0] != mode:
            raise OSError(_EPERM)

    def irq(self, handler):
        if handler is not None and not callable(handler):
            raise ValueError("invalid callback")
        self._handler = handler

    # How many bytes of the internal buffer are free (of what is sent), or filled (of what comes).
    def _room(self):
        mode, _, _, _, size = self._settings
        left = (self._idle_at - clock.now_us()) / self._us
        return max(0, min(size, int(size - left if mode == self.TX else -left)))

    def write(self, buf):
        self._require(self.TX)
        view = memoryview(buf)
        if self._is_polled:
            view = view[: self._room()]
        self._idle_at = max(self._idle_at, clock.now_us()) + int(len(view) * self._us)
        host_link.request("i2s", self._id, "write", hexlify(view))
        self._in_time(self._idle_at - int(self._settings[4] * self._us))
        return len(view)

    def readinto(self, buf):
        self._require(self.RX)
        view = memoryview(buf)
        if self._is_polled:
            view = view[: self._room()]
        oldest = clock.now_us() - int(self._settings[4] * self._us)
        self._idle_at = max(self._idle_at, oldest) + int(len(view) * self._us)
        view[:] = unhexlify(host_link.request("i2s", self._id, "read", len(view)))
        self._in_time(self._idle_at)
        return len(view)

    # Waits until then; a program with a handler is told then instead.
    def _in_time(self, us):
        if self._handler:
            handler = self._handler
            _Due(us, lambda: handler(self))
        elif us > clock.now_us():
            host_link.sleep((us - clock.now_us() + 999) // 1000)

    @staticmethod
    def shift(*, buf, bits, shift):
        if bits not in (16, 32):
            raise ValueError("invalid bits")
        samples = array("h" if bits == 16 else "i", bytes(memoryview(buf)))
        most = (1 << bits) - 1
        for n in range(len(samples)):
            moved = samples[n] << shift if shift >= 0 else samples[n] >> -shift
            moved &= most
            samples[n] = moved - most - 1 if moved > most >> 1 else moved
        memoryview(buf)[:] = bytes(samples)

    def ioctl(self, request, arg):
        if request != _POLL:
            return -22
        self._is_polled = True
        ready = 4 if self._settings[0] == self.TX else 1
        return arg & ready if self._room() else 0

    def __repr__(self):
        mode, bits, format, rate, ibuf = self._settings
        return (
            "I2S(id=%d,\nsck=%d,\nws=%d,\nsd=%d,\nmode=%d,\nbits=%d, format=%d,\nrate=%d, ibuf=%d)"
            % ((self._id,) + tuple(self._pins) + (mode, bits, format, rate, ibuf))
        )

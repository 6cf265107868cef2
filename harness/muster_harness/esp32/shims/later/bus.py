# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.I2C, SPI and their soft kin; what hangs on them is the test's (parts/buses.py).

from binascii import hexlify, unhexlify

import clock
import host_link
from arguments import integer
from micropython import const
from pin import number

_SOFT = const(-1)


class I2C:
    def __init__(self, id=_SOFT, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._id = integer(id)
        if not 0 <= self._id < host_link.chip["i2c"]:
            raise ValueError("I2C(%d) doesn't exist" % self._id)
        self._set_up(scl, sda, freq, timeout)

    def _set_up(self, scl, sda, freq, timeout):
        for pin in (scl, sda):
            if pin is not None:
                number(pin)
        self._freq, self._timeout = integer(freq), integer(timeout)

    def init(self, *, scl=None, sda=None, freq=400000):
        self._set_up(scl, sda, freq, self._timeout)

    def deinit(self):
        pass

    def scan(self):
        return host_link.request("i2c_scan")

    def _transfer(self, address, written, count):
        return unhexlify(host_link.request("i2c", integer(address), hexlify(written), count))

    def writeto(self, addr, buf, stop=True):
        buf = memoryview(buf)
        self._transfer(addr, buf, 0)
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(bytes(memoryview(part)) for part in vector))

    def readfrom(self, addr, nbytes, stop=True):
        return self._transfer(addr, b"", integer(nbytes))

    def readfrom_into(self, addr, buf, stop=True):
        view = memoryview(buf)
        view[:] = self._transfer(addr, b"", len(view))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        return self._transfer(addr, _place(memaddr, addrsize), integer(nbytes))

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        view = memoryview(buf)
        view[:] = self._transfer(addr, _place(memaddr, addrsize), len(view))

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._transfer(addr, _place(memaddr, addrsize) + bytes(memoryview(buf)), 0)

    # A bus of the chip's own does whole transfers.
    def _unsupported(self, *arguments):
        raise OSError("I2C operation not supported")

    start = stop = readinto = write = _unsupported

    def __repr__(self):
        return "I2C(%d, freq=%u, timeout=%u)" % (self._id, self._freq, self._timeout)


def _place(memaddr, addrsize):
    if addrsize & 7:
        raise ValueError("invalid addrsize")
    return integer(memaddr).to_bytes(addrsize // 8, "big")


class SoftI2C(I2C):
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        self._id = _SOFT
        self._is_addressed = True
        self._set_up(scl, sda, freq, timeout)

    # Single steps, of which a device sees whole transfers: the bytes since the address when the
    # next start or stop comes, or with what is read then.
    _address = None
    _sent = b""

    def _finish(self):
        address, sent, self._address, self._sent = self._address, self._sent, None, b""
        if address is not None and sent:
            self._transfer(address, sent, 0)

    def start(self):
        self._is_addressed = False

    def stop(self):
        self._finish()
        self._is_addressed = True

    def write(self, buf):
        data = bytes(memoryview(buf))
        if data and not self._is_addressed:
            address = data[0] >> 1
            if self._address not in (None, address):
                self._finish()
            self._is_addressed = True
            if address not in self.scan():
                return 0
            self._address = address
            self._sent += data[1:]
            return len(data)
        self._sent += data
        return len(data) if self._address is not None else 0

    def readinto(self, buf, nack=True):
        view = memoryview(buf)
        view[:] = self._transfer(self._address, self._sent, len(view))
        self._sent = b""

    def __repr__(self):
        return "SoftI2C(freq=%u)" % self._freq


_APB_HZ = const(80000000)


class SPI:
    MSB = 0
    LSB = 1

    _owed_us = 0  # time that transfers have still to take

    def __init__(self, id, baudrate=1000000, **settings):
        self._id = integer(id)
        if not 1 <= self._id <= host_link.chip["spi"]:
            raise ValueError("SPI(%d) doesn't exist" % self._id)
        self._pins = (-1, -1, -1)
        self.init(baudrate, **settings)

    def init(
        self,
        baudrate=1000000,
        *,
        polarity=0,
        phase=0,
        bits=8,
        firstbit=MSB,
        sck=None,
        mosi=None,
        miso=None,
        pins=None,
    ):
        given = zip((sck, mosi, miso), self._pins)
        self._pins = tuple([old if pin is None else number(pin) for pin, old in given])
        for value in (baudrate, polarity, phase, bits, firstbit):
            integer(value)
        # what the divider of the chip's clock can do
        self._baudrate = _APB_HZ // max(1, -(-_APB_HZ // max(1, baudrate)))
        self._settings = (polarity, phase, bits, firstbit)

    def deinit(self):
        pass

    def _transfer(self, written):
        view = memoryview(written)
        begin = clock.now_us()
        read = host_link.request("spi", self._id, hexlify(view))
        read = bytes(len(view)) if read is None else unhexlify(read)
        takes_us = len(view) * 8000000 // self._baudrate
        # What is too short for a sleep of the host's adds up.
        self._owed_us = max(0, self._owed_us + takes_us - (clock.now_us() - begin))
        if self._owed_us >= 500:
            clock.sleep_us(self._owed_us)
            self._owed_us = 0
        return read

    def write(self, buf):
        self._transfer(buf)

    def read(self, nbytes, write=0):
        return self._transfer(bytes([write]) * integer(nbytes))

    def readinto(self, buf, write=0):
        view = memoryview(buf)
        view[:] = self._transfer(bytes([write]) * len(view))

    def write_readinto(self, write_buf, read_buf):
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        memoryview(read_buf)[:] = self._transfer(write_buf)

    def __repr__(self):
        return (
            "SPI(id=%u, baudrate=%u, polarity=%u, phase=%u, bits=%u, firstbit=%u, "
            "sck=%d, mosi=%d, miso=%d)"
            % ((self._id, self._baudrate) + self._settings + self._pins)
        )


class SoftSPI(SPI):
    def __init__(self, baudrate=500000, **settings):
        self._id = _SOFT
        self._pins = (-1, -1, -1)
        self.init(baudrate, **settings)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# onewire, which an ESP32's firmware contains: a 1-Wire bus and the search of its devices.

import _onewire


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        self.pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def reset(self, required=False):
        is_there = _onewire.reset(self.pin)
        if required and not is_there:
            raise OneWireError
        return is_there

    def readbit(self):
        return _onewire.readbit(self.pin)

    def readbyte(self):
        return _onewire.readbyte(self.pin)

    def readinto(self, buf):
        for i in range(len(buf)):
            buf[i] = _onewire.readbyte(self.pin)

    def writebit(self, value):
        return _onewire.writebit(self.pin, value)

    def writebyte(self, value):
        return _onewire.writebyte(self.pin, value)

    def write(self, buf):
        for byte in buf:
            _onewire.writebyte(self.pin, byte)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    # Each round follows one branch of the tree of codes, and notes the last fork at which it went
    # to the zeros; the next round takes the ones there (Maxim, application note 187).
    def scan(self):
        found = []
        code = bytearray(8)
        fork = 65
        while fork:
            fork = self._round(code, fork)
            if fork is None:
                break
            found.append(bytearray(code))
        return found

    def _round(self, code, last_fork):
        if not self.reset():
            return None
        self.writebyte(self.SEARCH_ROM)
        fork = 0
        for place in range(64):
            zero = not self.readbit()
            one = not self.readbit()
            if not (zero or one):
                return None
            byte, mask = place >> 3, 1 << (place & 7)
            bit = one
            if zero and one:
                at = place + 1
                bit = code[byte] & mask if at < last_fork and last_fork < 65 else at == last_fork
                if not bit:
                    fork = at
            self.writebit(bit)
            code[byte] = code[byte] | mask if bit else code[byte] & ~mask
        return fork

    def crc8(self, data):
        return _onewire.crc8(data)

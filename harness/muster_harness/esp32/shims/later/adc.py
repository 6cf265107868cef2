# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.ADC: an ideal converter of the volts that a test puts on a pin (parts/buses.py). Full
# scale is at 1.1, 1.5, 2.2 and 3.3 V; a real one ends earlier and bends.

import host_link
from arguments import integer
from pin import number

_FULL_UV = (1100000, 1500000, 2200000, 3300000)  # by attenuation
_attenuation = {}  # by pin; kept, as the port keeps it


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_9BIT = 9
    WIDTH_10BIT = 10
    WIDTH_11BIT = 11
    WIDTH_12BIT = 12

    def __init__(self, id, *, atten=3):
        self._pin = number(id)
        if self._pin not in host_link.chip["adc_pins"]:
            raise ValueError("invalid pin")
        self.init(atten=atten)

    def init(self, *, atten=3):
        self._bits = 12
        self.atten(atten)

    def deinit(self):
        pass

    def atten(self, atten):
        atten = integer(atten)
        if not 0 <= atten <= 3:
            raise ValueError("invalid attenuation")
        _attenuation[self._pin] = atten

    def width(self, bits):
        bits = integer(bits)
        if not 9 <= bits <= 12:
            raise ValueError("invalid bit-width")
        self._bits = bits

    def read_uv(self):
        return min(host_link.request("volts", self._pin), _FULL_UV[_attenuation[self._pin]])

    def read(self):
        full = (1 << self._bits) - 1
        full_uv = _FULL_UV[_attenuation[self._pin]]
        return (self.read_uv() * full + full_uv // 2) // full_uv

    def read_u16(self):
        raw, bits = self.read(), self._bits
        return raw << 16 - bits | raw >> 2 * bits - 16

    def __repr__(self):
        return "ADC(Pin(%u), atten=%u)" % (self._pin, _attenuation[self._pin])

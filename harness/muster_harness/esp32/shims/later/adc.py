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

    def block(self):
        return ADCBlock(_place(self._pin)[0])

    def __repr__(self):
        return "ADC(Pin(%u), atten=%u)" % (self._pin, _attenuation[self._pin])


# The block and the channel of a pin: the chip counts pins by block, in its own order.
def _place(pin):
    for number_of_block, pins in enumerate(host_link.chip["adc_blocks"]):
        if pin in pins:
            return number_of_block + 1, pins.index(pin)
    return 0, -1


class ADCBlock:
    def __init__(self, id, *, bits=12):
        if not 1 <= integer(id) <= len(host_link.chip["adc_blocks"]):
            raise ValueError("invalid block id")
        self._id = id
        self.init(bits=bits)

    def init(self, *, bits=12):
        if not 9 <= integer(bits) <= 12:
            raise ValueError("invalid bits")
        self._bits = bits

    def connect(self, *where, **settings):
        if len(where) > 2:
            raise TypeError("too many positional args")
        pins = host_link.chip["adc_blocks"][self._id - 1]
        channel = where[0] if where and isinstance(where[0], int) else None
        named = where[-1] if where and not isinstance(where[-1], int) else None
        if channel is None and named is not None:
            pin = number(named)
        else:
            pin = pins[channel] if channel in range(len(pins)) else None
        if pin not in pins or named is not None and number(named) != pin:
            raise ValueError("no matching ADC")
        adc = ADC(pin, **settings)
        adc.width(self._bits)
        return adc

    def __repr__(self):
        return "ADCBlock(%u, bits=%u)" % (self._id, self._bits)

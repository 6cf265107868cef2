# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# neopixel, which an ESP32's firmware contains: colours for WS2812 and SK6812.

from machine import bitstream

_TIMINGS = ((400, 850, 800, 450), (800, 1700, 1600, 900))  # at 800 kHz, at 400 kHz


class NeoPixel:
    ORDER = (1, 0, 2, 3)  # where red, green, blue and white stand in a pixel's bytes

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self.buf = bytearray(n * bpp)
        self.timing = _TIMINGS[0 if timing else 1] if isinstance(timing, int) else timing
        pin.init(pin.OUT)

    def __len__(self):
        return self.n

    def __setitem__(self, i, v):
        for colour in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[colour]] = v[colour]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[colour]] for colour in range(self.bpp))

    def fill(self, v):
        for i in range(self.n):
            self[i] = v

    def write(self):
        bitstream(self.pin, 0, self.timing, self.buf)

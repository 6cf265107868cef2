# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# apa106, which an ESP32's firmware contains: NeoPixels that want red first.

from neopixel import NeoPixel


class APA106(NeoPixel):
    ORDER = (0, 1, 2, 3)

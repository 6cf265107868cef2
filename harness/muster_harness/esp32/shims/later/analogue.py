# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.DAC, whose volts the host sees, and TouchPad, whose counts the test gives.

import host_link
from arguments import integer
from pin import number


class DAC:
    def __init__(self, pin):
        self._pin = number(pin)
        if self._pin not in host_link.chip["dac_pins"]:
            raise ValueError("invalid Pin for DAC")
        self.write(0)

    def write(self, value):
        if not 0 <= integer(value) <= 255:
            raise ValueError("value out of range")
        host_link.request("dac", self._pin, value)

    def __repr__(self):
        return "DAC(Pin(%u))" % self._pin


class TouchPad:
    def __init__(self, pin):
        self._pin = number(pin)
        if self._pin not in host_link.chip["touch_pins"]:
            raise ValueError("invalid pin for touchpad")

    def read(self):
        return host_link.request("touch", self._pin)

    def config(self, value):
        integer(value)

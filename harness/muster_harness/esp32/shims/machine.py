# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine as on an ESP32: reset, sleep, watchdog, clock, and what has files of its own. What
# lasts lives in the supervisor; this is its Python face.

import sys
import time as _time
from binascii import hexlify, unhexlify

import host_link
import on_demand
from arguments import at_most, integer, items
from machine_uart import UART  # noqa: F401 (an import is the shortest way to have it here too)
from native import builtin
from pin import Pin, number  # noqa: F401
from timer import Timer  # noqa: F401

_native = builtin("machine")

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
SLEEP = 2
DEEPSLEEP = 4
PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6

Signal = _native.Signal
mem8 = _native.mem8
mem16 = _native.mem16
mem32 = _native.mem32


# Ends in the supervisor's kill: nothing after it runs, no exception can stop it.
def reset():
    host_link.request("reset")


def soft_reset(*code):
    raise SystemExit(*code)


def deepsleep(*time_ms):
    host_link.request("deepsleep", *_expiry(time_ms))


# A negative time is so long for the timer of the chip that it does not end the sleep.
def _expiry(time_ms):
    at_most(1, time_ms)
    return [ms for ms in map(integer, time_ms) if ms >= 0]


# Nothing runs until the time is over or a pin wakes it: no timer, no pin's handler.
def lightsleep(*time_ms):
    expiry = _expiry(time_ms)
    host_link.is_woken = False
    host_link.request("lightsleep", *expiry)
    try:
        while not host_link.is_woken:
            host_link.doze()
    finally:
        host_link.request("awake")


sleep = lightsleep


def idle():
    host_link.sleep(1)


def reset_cause():
    return host_link.request("reset_cause")


def wake_reason():
    return host_link.request("wake_reason")


def wake_pins():
    return tuple(host_link.request("wake_pins"))


def unique_id():
    return unhexlify(host_link.request("unique_id"))


def freq(*hz):
    if not hz:
        return host_link.request("freq")
    at_most(1, hz)
    if integer(hz[0]) // 1000000 not in host_link.chip["mhz"]:
        raise ValueError(
            "frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz"
            if 240 in host_link.chip["mhz"]
            else "frequency must be 20MHz, 40MHz, 80Mhz or 160MHz"
        )
    return host_link.request("freq", hz[0])


def disable_irq():
    return 0


def enable_irq(state=0):
    pass


class WDT:
    def __init__(self, id=0, timeout=5000):
        timeout = integer(timeout)
        if id is not 0:  # noqa: F632 (0.0 is none)
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        host_link.request("wdt", timeout)

    def feed(self):
        host_link.notify("feed")


class RTC:
    def datetime(self, *when):
        if when:
            return self._set(when[0], 4)
        t = _time.gmtime()
        return t[0:3] + (t[6],) + t[3:6] + (_time.time_ns() // 1000 % 1000000,)

    def init(self, when):
        self._set(when, 3)

    def _set(self, when, hour):
        items(when, 8)
        y, mo, d, h, mi, s, us = map(
            integer, tuple(when[:3]) + tuple(when[hour : hour + 3] + when[7:])
        )
        seconds = _time.mktime((y, mo, d, h, mi, s, 0, 0))
        _time._set_rtc(host_link.request("clock", seconds * 1000000 + us))

    def memory(self, *data):
        if not data:
            return unhexlify(host_link.request("rtc_memory"))
        at_most(1, data, 1)
        if len(memoryview(data[0])) > 2048:
            raise ValueError("buffer too long")
        return host_link.request("rtc_memory", hexlify(data[0])) and None


_backup = None


# The supervisor reads and writes the bytes where they are, in this process: so they are kept
# whatever ends it.
def mem_backup(region=0):
    global _backup
    region = integer(region)
    if region not in (0, -1):
        raise ValueError("invalid region")
    if _backup is None:
        import uctypes

        _backup = memoryview(bytearray(2048))
        host_link.request("mem_backup", uctypes.addressof(_backup))
    return (_backup,) if region == -1 else _backup


def bitstream(pin, encoding, timing, data):
    id = number(pin)
    if integer(encoding) != 0:
        raise ValueError("encoding")
    timing = [integer(ns) for ns in items(timing, 4)]
    host_link.request("bitstream", id, timing, hexlify(memoryview(data)))


# Of a PWM it is known how long its pulses are; of anything else they are measured.
def time_pulse_us(pin, level, timeout_us=1000000):
    signal = host_link.request("pulse", number(pin))
    if signal is None:
        return _native.time_pulse_us(pin, level, timeout_us)
    share = signal[1] if level else 1 - signal[1]
    if not 0 < share < 1:
        return -1 if share else -2
    return int(1000000 / signal[0] * share + 0.5)


def dht_readinto(pin, buf):
    buf[:] = unhexlify(host_link.request("dht", number(pin)))


# What takes no heap until a program asks for it.
def _later():
    files = dict.fromkeys(("I2C", "SPI", "SoftI2C", "SoftSPI"), "bus")
    files["ADC"] = files["ADCBlock"] = "adc"
    files["I2S"] = "i2s"
    files["SDCard"] = "sd_card"
    files["PWM"] = "pwm"
    if host_link.chip["dac_pins"]:
        files["DAC"] = "analogue"
    if host_link.chip["touch_pins"]:
        files["TouchPad"] = "analogue"
    if host_link.chip["pcnt"]:
        files["Counter"] = files["Encoder"] = "counters"
    return files


__getattr__ = on_demand.names(sys.modules["machine"], _later())

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine as on an ESP32: pins, watchdog, clock, timers, sleep and reset.
# Pins and the rest live in the supervisor; this is their Python face.

import time as _time
from binascii import hexlify, unhexlify

import clock
import supervisor
from native import builtin

_native = builtin("machine")

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
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
    supervisor.request("reset")


def soft_reset(*code):
    raise SystemExit(*code)


def deepsleep(time_ms=None):
    supervisor.request("deepsleep", time_ms)


def lightsleep(time_ms=None):
    if time_ms is None:
        while True:
            supervisor.sleep(1000000)
    supervisor.sleep(time_ms)


sleep = lightsleep


def idle():
    supervisor.sleep(1)


def reset_cause():
    return supervisor.request("reset_cause")


def wake_reason():
    return supervisor.request("wake_reason")


def unique_id():
    return unhexlify(supervisor.request("unique_id"))


def freq(*hz):
    if not hz:
        return supervisor.request("freq")
    if hz[0] // 1000000 not in (20, 40, 80, 160, 240):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    return supervisor.request("freq", hz[0])


def disable_irq():
    return 0


def enable_irq(state=0):
    pass


class _IRQ:
    def __init__(self, pin):
        self._pin = pin

    def __call__(self):
        if self._pin._handler:
            self._pin._handler(self._pin)

    def trigger(self, *trigger):
        before = self._pin._trigger
        if trigger:
            self._pin.irq(self._pin._handler, trigger[0])
        return before


_pins = {}


class Pin(_native.PinBase):
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            return id
        if id not in _pins:
            supervisor.request("pin", id, "open")
            pin = object.__new__(cls)
            pin._id = id
            pin._handler = None
            pin._trigger = 0
            _pins[id] = pin
        return _pins[id]

    def __init__(self, id, *args, **kwargs):
        if args or kwargs:
            self.init(*args, **kwargs)

    def init(self, mode=None, pull=-1, *, value=None, drive=None, hold=None):
        level = None if value is None else int(bool(value))
        supervisor.request("pin", self._id, "init", mode, pull, level)

    def value(self, *level):
        if not level:
            return supervisor.request("pin", self._id, "read")
        return supervisor.notify("pin", self._id, "write", int(bool(level[0])))

    def __call__(self, *level):
        return self.value(*level)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        supervisor.notify("pin", self._id, "toggle")

    def irq(self, handler=None, trigger=3, wake=None):
        self._handler = handler
        self._trigger = trigger if handler else 0
        supervisor.request("pin", self._id, "irq", self._trigger)
        return _IRQ(self)

    def __repr__(self):
        return "Pin(%u)" % self._id


def _pin_event(id):
    pin = _pins.get(id)
    if pin and pin._handler:
        pin._handler(pin)


supervisor.handlers["pin"] = _pin_event


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **settings):
        if id >= 4:
            raise ValueError("Timer(%d) doesn't exist, there are only 4 hardware timers" % id)
        self._callback = None
        if settings:
            self.init(**settings)

    def init(self, *, mode=1, callback=None, period=-1, tick_hz=1000, freq=None, hard=False):
        if hard:
            raise ValueError("hard Timers are not implemented")
        self.deinit()
        if freq is not None:
            period, tick_hz = 1, freq
        self._period = max(1, int(period * 1000 / tick_hz))
        self._repeats = mode == 1
        self._callback = callback
        self.due = clock.now_ms() + self._period
        supervisor.timers.append(self)

    def fire(self, now):
        if self._repeats:
            self.due += self._period
            if self.due <= now:  # the program was busy: missed ones are lost
                self.due = now + self._period
        else:
            self.deinit()
        if self._callback:
            self._callback(self)

    def deinit(self):
        if self in supervisor.timers:
            supervisor.timers.remove(self)

    def value(self):
        left = self.due - clock.now_ms()
        return max(0, self._period - left) if self in supervisor.timers else 0


class WDT:
    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        supervisor.request("wdt", timeout)

    def feed(self):
        supervisor.notify("feed")


class RTC:
    def datetime(self, *when):
        if when:
            return self._set(when[0], 4)
        t = _time.gmtime()
        return t[0:3] + (t[6],) + t[3:6] + (_time.time_ns() // 1000 % 1000000,)

    def init(self, when):
        self._set(when, 3)

    def _set(self, when, hour):
        if len(when) != 8:
            raise ValueError("requested length 8 but object has length %d" % len(when))
        seconds = _time.mktime(tuple(when[0:3]) + tuple(when[hour : hour + 3]) + (0, 0))
        _time._set_rtc(supervisor.request("clock", seconds * 1000000 + when[7]))

    def memory(self, *data):
        if not data:
            return unhexlify(supervisor.request("rtc_memory"))
        if len(data[0]) > 2048:
            raise ValueError("buffer too long")
        return supervisor.request("rtc_memory", hexlify(data[0])) and None

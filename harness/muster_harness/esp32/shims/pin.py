# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.Pin; levels and triggers are the supervisor's. Handlers run where the program waits.

import clock
import host_link
from arguments import at_most, integer
from native import builtin


class IRQ:
    def __init__(self, pin):
        self._pin = pin

    def __call__(self):
        if self._pin._handler:
            self._pin._handler(self._pin)

    def trigger(self, *trigger):
        before = self._pin._trigger
        if trigger:
            at_most(1, trigger, 1)
            self._pin._listen(self._pin._handler, integer(trigger[0]))
        return before


_pins = {}


class Pin(builtin("machine").PinBase):
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

    # The names that the board gives its pins: this one gives none.
    class board:
        pass

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            return id
        if type(id) is not int:
            raise ValueError("invalid pin")
        if id not in _pins:
            host_link.request("pin", id, "open")
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
        mode = None if mode is None else integer(mode)
        pull = None if pull is None else integer(pull)
        drive = None if drive is None else integer(drive)
        hold = None if hold is None else bool(hold)
        level = None if value is None else int(bool(value))
        host_link.request("pin", self._id, "init", mode, pull, level, drive, hold)

    def value(self, *level):
        if not level:
            return host_link.request("pin", self._id, "read")
        at_most(1, level, 1)
        return self._drive("write", int(bool(level[0])))

    def __call__(self, *level):
        return self.value(*level)

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self._drive("toggle")

    # The moment goes along: the supervisor hears of it later, and draws it.
    def _drive(self, verb, *level):
        host_link.notify("pin", self._id, verb, clock.now_us(), *level)

    # Without arguments it only gives the object. A level and a kind of sleep make the pin end
    # that sleep, instead of calling anything.
    def irq(self, *args, **kwargs):
        if args or kwargs:
            self._configure(*args, **kwargs)
        return IRQ(self)

    def _configure(self, handler=None, trigger=3, wake=None):
        trigger = integer(trigger)
        if trigger in (4, 5) and wake is not None:
            if not isinstance(wake, int) or not 2 <= wake <= 7:
                raise ValueError("bad wake value")
            host_link.request("wake_on", "pin", [self._id], trigger == 5, wake)
        else:
            host_link.request("wake_on", "pin", [self._id], False, 0)
            self._listen(handler, trigger)

    def _listen(self, handler, trigger):
        trigger = trigger if handler else 0
        host_link.request("pin", self._id, "irq", trigger)
        self._handler = handler
        self._trigger = trigger

    def __repr__(self):
        return host_link.request("pin", self._id, "describe")


def number(pin):
    return Pin(pin)._id


def _on_edge(id):
    pin = _pins.get(id)
    if pin and pin._handler:
        pin._handler(pin)


host_link.handlers["pin"] = _on_edge

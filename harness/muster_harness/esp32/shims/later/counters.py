# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# esp32.PCNT, and machine.Counter and Encoder on top; the counting is the supervisor's, which sees
# every edge (parts/counting.py).

import host_link
from arguments import at_most, integer
from micropython import const
from pin import number

_LEAST = const(-32768)
_MOST = const(32767)
_IRQS = const(0x7C)
_units = {}  # by id: PCNT
_counters = {}  # by id: Counter or Encoder
_PINS = ("pin", "mode_pin")
_LOGIC = ("rising", "falling", "mode_low", "mode_high")
_LIMITS = ("min", "max", "threshold0", "threshold1")


def _ask(*message):
    return host_link.request("pcnt", *message)


def _unit(id):
    if type(id) is not int:
        raise TypeError("id")
    if not 0 <= id < host_link.chip["pcnt"]:
        raise ValueError("invalid id")
    return id


class IRQ:
    def __init__(self, unit):
        self._unit = unit

    def flags(self):
        flags = self._unit._flags
        self._unit._flags = 0
        return flags

    def trigger(self, *trigger):
        return self._unit._trigger


class PCNT:
    IGNORE = 0
    INCREMENT = 1
    DECREMENT = 2
    NORMAL = 0
    REVERSE = 1
    HOLD = 2
    IRQ_THRESHOLD1 = 4
    IRQ_THRESHOLD0 = 8
    IRQ_MIN = 16
    IRQ_MAX = 32
    IRQ_ZERO = 64

    def __new__(cls, id, **settings):
        if _unit(id) not in _units:
            self = object.__new__(cls)
            self._id = id
            self._limits = [0, 0, None, None]
            self._handler = None
            self._trigger = self._flags = 0
            _units[id] = self
        return _units[id]

    def __init__(self, id, **settings):
        if settings:
            self.init(**settings)

    def init(self, **settings):
        channel = settings.pop("channel", 0)
        if channel not in (0, 1):
            raise ValueError("channel")
        if "mode_pin" in settings and "pin" not in settings:
            raise ValueError("pin")
        pins = logic = None
        if "pin" in settings:
            given = [settings.pop(name, None) for name in _PINS]
            pins = [None if pin is None else number(pin) for pin in given]
        if any(name in settings for name in _LOGIC):
            logic = [integer(settings.pop(name, 0)) for name in _LOGIC]
            for name, value in zip(_LOGIC, logic):
                if not 0 <= value <= 2:
                    raise ValueError(name)
        if pins or logic:
            _ask(self._id, "channel", channel, pins, logic)
        if not 0 <= integer(settings.pop("filter", 0)) <= 1023:
            raise ValueError("filter")
        self._limit(settings)
        if "value" in settings:
            if settings.pop("value") != 0:
                raise ValueError("value")
            _ask(self._id, "value", 0)
        if settings:
            raise TypeError("extra keyword arguments given")

    def _limit(self, settings):
        new = {name: integer(settings.pop(name)) for name in _LIMITS if name in settings}
        if not new:
            return
        if not _LEAST <= new.get("min", 0) <= 0:
            raise ValueError("minimum")
        if not 0 <= new.get("max", 0) <= _MOST:
            raise ValueError("maximum")
        for name, value in new.items():
            if not _LEAST <= value <= _MOST:
                raise ValueError(name)
            self._limits[_LIMITS.index(name)] = value
        _ask(self._id, "limits", *self._limits)

    def deinit(self):
        if _units.pop(self._id, None):
            _ask(self._id, "end")

    def start(self):
        _ask(self._id, "run", True)

    def stop(self):
        _ask(self._id, "run", False)

    def value(self, *value):
        at_most(1, value, 1)
        if value and value[0] != 0:
            raise ValueError("value")
        before = _ask(self._id, "value", *value)
        host_link.deliver()
        return before

    def irq(self, handler=None, trigger=IRQ_ZERO):
        trigger = integer(trigger)
        if trigger & ~_IRQS:
            raise ValueError("trigger")
        self._handler = handler
        self._trigger = trigger
        _ask(self._id, "irq", trigger if handler else 0)
        return IRQ(self)


def _on_event(id, flags):
    unit = _units.get(id)
    if unit and unit._handler:
        unit._flags |= flags
        unit._handler(unit)


host_link.handlers["pcnt"] = _on_event


class _Counting:
    def __new__(cls, id, *args, **kwargs):
        known = _counters.get(_unit(id))
        if known and not isinstance(known, cls):
            raise ValueError("in use")
        if not known:
            known = _counters[id] = object.__new__(cls)
            known._id = id
            known._is_open = False
        return known

    def __init__(self, id, *args, **kwargs):
        if args or kwargs or not self._is_open:
            self.init(*args, **kwargs)

    def init(self, *args, filter_ns=0, **kwargs):
        integer(filter_ns)
        self._configure(*args, **kwargs)
        self._is_open = True
        _ask(self._id, "value", 0)
        _ask(self._id, "run", True)

    def deinit(self):
        if _counters.pop(self._id, None):
            self._is_open = False
            _ask(self._id, "end")

    def value(self, value=None):
        if not self._is_open:
            raise RuntimeError("not initialised")
        return (
            _ask(self._id, "value") if value is None else _ask(self._id, "value", integer(value))
        )


class Counter(_Counting):
    RISING = 1
    FALLING = 2
    UP = 1
    DOWN = 2

    def _configure(self, src, edge=RISING, direction=UP):
        logic = [direction if edge & one else 0 for one in (Counter.RISING, Counter.FALLING)]
        _ask(self._id, "channel", 0, (number(src), None), logic + [0, 0])


class Encoder(_Counting):
    def _configure(self, phase_a, phase_b, phases=1):
        if phases not in (1, 2, 4):
            raise ValueError("phases")
        a, b = number(phase_a), number(phase_b)
        low = PCNT.HOLD if phases == 1 else PCNT.REVERSE
        _ask(self._id, "channel", 0, (a, b), (PCNT.DECREMENT, PCNT.INCREMENT, low, 0))
        second = (PCNT.INCREMENT, PCNT.DECREMENT, PCNT.REVERSE, 0) if phases == 4 else [0] * 4
        _ask(self._id, "channel", 1, (b, a), second)
        self._phases = phases

    def phases(self):
        return self._phases

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The board's wire to its supervisor: requests, notices, events and the waits that hear them.
# One JSON array per line. Board: [serial, verb, ...], serial 0 wants no reply.
# Supervisor: [serial, value] or [serial, exception, arguments]; events are [0, name, ...].

import gc
import json

import clock
from micropython import const
from native import builtin, print_exception

_select = builtin("select")

FD = 3
file = open(FD, "r+b")  # noqa: SIM115 (open as long as the board runs)
_poll = _select.poll()
_poll.register(file, _select.POLLIN)
_RAISES = {e.__name__: e for e in (OSError, OverflowError, RuntimeError, TypeError, ValueError)}

_NETWORK = const(("accept", "bytes", "connect", "datagram", "mdns", "resolve"))

_DEPTH = const(8)  # of a board's scheduler: what comes while it is full is lost

_serial = 0
is_delivering = False  # a callback runs
is_asking = False  # half a conversation: no moment for another thread
is_wanted = False  # by another thread, once that is over
_events = []  # events wait here until the program sleeps or polls: interrupts are cooperative
chip = {}  # what differs by chip, as HardwareCalls._start has it
handlers = {}  # event name: function of the event's arguments
timers = []  # objects with .due (clock.now_ms) and .fire(); machine.Timer puts itself here


class _Link:
    # What the sockets need to know of the radio; the supervisor pushes every change.
    address = None  # e.g. "127.81.3.17", None while there is none
    prefix = ""  # e.g. "127.81.3."
    epoch = 0  # counts changes: a socket of an earlier epoch is cut off


is_woken = False  # from light sleep
links = (_Link(), _Link(), _Link(), _Link())  # station, access point, to itself, Ethernet


outcomes = {}  # of connections by number, None until it is known; their sockets own the items


def _take(event):
    global is_woken
    if event[1] == "link":  # state, not an interrupt: it holds from this moment
        link = links[event[2]]
        link.address = event[3]
        link.prefix = event[3][: event[3].rfind(".") + 1] if event[3] else ""
        link.epoch += 1
    elif event[1] == "connected":  # a connection's number, and 0 or the host's errno
        if event[2] in outcomes:
            outcomes[event[2]] = event[3]
    elif event[1] == "woken":
        is_woken = True
    elif len(_events) < _DEPTH or event[1] == "ble":  # Bluetooth's stack waits for the program
        _events.append(event)


def notify(*message):
    if message[0] in _NETWORK:
        clock.touch()
    file.write(json.dumps((0,) + message) + "\n")


def request(*message):
    global _serial, is_asking, is_wanted
    if message[0] in _NETWORK:
        clock.touch()
    is_asking = True
    _serial = (_serial % 0x3FFFFFFF) + 1
    serial = _serial
    file.write(json.dumps((serial,) + message) + "\n")
    while True:
        line = file.readline()
        if not line:
            raise SystemExit  # the supervisor is gone
        reply = json.loads(line)
        if reply[0] == serial:
            break
        if reply[0] == 0:
            _take(reply)
        # anything else answers a request that Ctrl-C has abandoned
    is_asking = False
    if is_wanted:
        is_wanted = False
        clock.pass_on()
    if len(reply) == 3:
        raise _RAISES[reply[1]](*reply[2])
    return reply[1]


# What the program holds of MicroPython's heap, if that takes from ESP-IDF's.
def heap_used():
    if not chip["limited"]:
        return 0
    gc.collect()
    return gc.mem_alloc()


# Reads all that the supervisor has sent, without waiting, so that link is true now and no more
# interrupts wait than a board keeps.
def refresh():
    more = True
    while more:
        more = False
        for _ in _poll.ipoll(0):
            _read()
            more = True


def _read():
    line = file.readline()
    if not line:
        raise SystemExit
    event = json.loads(line)
    if event[0] == 0:
        _take(event)


# The scheduler of a board prints what a callback raises, and goes on.
def protected(function, *args):
    try:
        function(*args)
    except Exception as e:  # noqa: BLE001
        print_exception(e)


# Delivers what is due; true if any handler ran.
def deliver():
    global is_delivering
    if not _events and not timers:
        return False
    was_delivering, is_delivering = is_delivering, True
    try:
        return _deliver()
    finally:
        is_delivering = was_delivering


def _deliver():
    ran = False
    while _events:
        event = _events.pop(0)
        handler = handlers.get(event[1])
        if handler:
            protected(handler, *event[2:])
            ran = True
    if timers:
        now = clock.now_ms()
        for timer in list(timers):
            if timer in timers and timer.due <= now:
                protected(timer.fire, now)
                ran = True
    return ran


# Waits for one of a native poll's objects, at most ms milliseconds (-1 is for ever) and no longer
# than until a timer is due; returns what ipoll() does.
def wait(poll, ms):
    for timer in timers:
        left = max(0, timer.due - clock.now_ms())
        if ms < 0 or left < ms:
            ms = left
    return clock.wait(poll, ms)


# Waits for word from the supervisor, and delivers nothing.
def doze():
    for _ in clock.wait(_poll, -1):
        _read()


# Sleeps ms milliseconds and delivers interrupts meanwhile.
def sleep(ms):
    end = clock.now_us() + ms * 1000  # to the microsecond: no sleep is shorter than it was told
    clock.pass_on()
    while True:
        refresh()
        deliver()
        left = (end - clock.now_us() + 999) // 1000
        if left <= 0:
            return
        for _ in wait(_poll, left):
            _read()

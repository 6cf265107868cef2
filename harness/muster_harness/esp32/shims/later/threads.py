# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# _thread with one thread at a time, as on an ESP32, whose interpreter has a lock (the GIL): no
# race of a program can damage the interpreter, which underneath has none.
#
# The right to run is a byte in a pipe. Who waits for anything gives it away meanwhile; the main
# thread is also asked to between any two instructions, by the scheduler. Another thread that never
# waits cannot be asked: after _PATIENCE_US the main thread goes on beside it, without the right.
# While the main thread reads the console, the supervisor gives the right away on its behalf, and
# takes it back before there is input.

import clock
import host_link
from arguments import at_most
from micropython import const, schedule
from native import builtin, print_exception

__name__ = "_thread"
_native = builtin("_thread")
_sleep_us = builtin("time").sleep_us
_ticks_us = builtin("time").ticks_us

exit = _native.exit
get_ident = _native.get_ident
stack_size = _native.stack_size

_FD = const(8)
_LOOK_US = const(200)
_CHANCE_US = const(400)  # for others to take it

_PATIENCE_US = const(20000)
_TRUST_US = const(2000000)  # in a thread of the board, which does not compute

_SLICE_US = const(5000)  # after which who touches a lock passes the right on

_line = _native.allocate_lock()
_request = host_link.request
_read = host_link._read
_byte = bytearray(1)
_since = 0  # when the right was last taken
_pipe = None  # until there is a second thread
_main = get_ident()
_main_runs = True
_main_has_right = True
_patience_us = _PATIENCE_US
_lying = builtin("select").poll()


def _give():
    global _main_runs
    if get_ident() == _main:
        _main_runs = False
        if not _main_has_right:
            return
    _pipe.write(b"r")


def _take():
    global _since
    if get_ident() == _main:
        _take_for_main()
        return
    while not _pipe.readinto(_byte):
        _ask_main()
        _sleep_us(_LOOK_US)
    _since = _ticks_us()


def _take_for_main():
    global _main_runs, _main_has_right, _since
    had_right = _main_has_right
    interrupt = None
    begin = _ticks_us()
    while True:
        try:
            _main_has_right = bool(_pipe.readinto(_byte))
            if _main_has_right or _ticks_us() - begin > _patience_us:
                break
            _sleep_us(_LOOK_US)
        except KeyboardInterrupt as e:  # waits for the right too
            interrupt = e
    _main_runs = True
    _since = _ticks_us()
    if _main_has_right is not had_right:
        host_link.notify("right", _main_has_right)
    if interrupt:
        raise interrupt


def _ask_main():
    try:
        schedule(_preempted, None)
    except RuntimeError:  # it is asked already
        pass


def _preempted(_):
    if host_link.is_asking:
        host_link.is_wanted = True
    elif _main_runs:
        _pass_on()


def _pass_on():
    _give()
    _sleep_us(_CHANCE_US)
    _take()


# Of a thread that is the board's own: it asks nobody, and goes on where the program or the prompt
# waits.
def rest(us):
    global _patience_us, _since
    _patience_us = _PATIENCE_US
    _give()
    _sleep_us(us)
    while not _pipe.readinto(_byte):
        for _ in _lying.ipoll(1):
            pass
    _since = _ticks_us()
    _patience_us = _TRUST_US


# Asked by such a thread: whether it runs because the main thread reads the console.
def prompt_waits():
    return _main_runs


# clock.wait() of a program with threads: looks, and lets others run in between.
def _wait(poll, ms):
    end = clock.now_ms() + ms
    while True:
        for _ in poll.ipoll(0):
            return poll.ipoll(0)
        if ms >= 0 and clock.now_ms() >= end:
            return poll.ipoll(0)
        _pass_on()


# The wire to the supervisor is one thread's at a time, also while the main one runs without the
# right: an answer must not be read by who has not asked.
def _asked(*message):
    while not _line.acquire(0):
        _pass_on()
    try:
        return _request(*message)
    finally:
        _line.release()


def _heard():
    if not _line.acquire(0):
        return  # who asks hears the events as well
    try:
        for _ in host_link._poll.ipoll(0):
            _read()
    finally:
        _line.release()


def _begin():
    global _pipe
    _pipe = open(_FD, "r+b")  # noqa: SIM115 (open as long as the board runs)
    _lying.register(_pipe, 1)
    clock.wait = _wait
    clock.pass_on = _pass_on
    host_link.request = _asked
    host_link.refresh = host_link._read = _heard
    host_link.request("threads")


def start_new_thread(function, args, *kwargs):
    if not isinstance(args, (tuple, list)):
        raise TypeError("object '%s' isn't a tuple or list" % type(args).__name__)
    at_most(3, (function, args) + kwargs)
    if kwargs and not isinstance(kwargs[0], dict):
        raise TypeError("expecting a dict for keyword args")
    if not _pipe:
        _begin()
    return _native.start_new_thread(_run, (function, args, kwargs[0] if kwargs else {}))


def _run(function, args, kwargs):
    _take()
    try:
        function(*args, **kwargs)
    except SystemExit:
        pass
    except BaseException as e:  # noqa: BLE001 (as the port's thread_entry())
        print("Unhandled exception in thread started by %r" % function)
        print_exception(e)
    _give()


class lock:  # noqa: N801 (so it is called there)
    def __init__(self):
        self._native = _native.allocate_lock()

    def acquire(self, wait=1):
        if _pipe and _ticks_us() - _since > _SLICE_US:
            _pass_on()
        while not self._native.acquire(0):
            if not wait:
                return False
            if _pipe:
                _pass_on()  # which takes nothing of the heap: that may be locked
            else:
                host_link.sleep(1)
        return True

    def release(self):
        self._native.release()

    def locked(self):
        return self._native.locked()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


LockType = lock


def allocate_lock():
    return lock()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The first lines of these tests' programs on a board."""

WLAN = """
import network, time
w = network.WLAN()
w.active(True)
def until(f, ms=5000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while not f():
        if time.ticks_diff(end, time.ticks_ms()) < 0:
            raise OSError("until() waited in vain, status %s" % w.status())
        time.sleep_ms(2)
"""

SOCKETS = (
    WLAN
    + """
import socket
def join(name):
    w.connect(name)
    until(w.isconnected)
def errno_of(f, *a):
    try:
        return f(*a)
    except OSError as e:
        return e.errno
def look_up(name):
    try:
        return socket.getaddrinfo(name, 80)[0][-1][0]
    except OSError as e:
        return e.errno
"""
)

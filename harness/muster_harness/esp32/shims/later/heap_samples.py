# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Tells the supervisor how full MicroPython's heap is, while the program waits: there it costs
# nothing that anybody waits for.

import gc

import clock
import host_link
from micropython import const
from native import builtin

_LEAST_MS = const(10)  # of the host between two samples, or so much of the board's time:
_LEAST_BOARD_MS = const(1000)

_host_ms = builtin("time").ticks_ms
_wait = host_link.wait
_last_ms = _last_board_ms = -(1 << 40)


def _sampled(poll, ms):
    global _last_ms, _last_board_ms
    now, board_now = _host_ms(), clock.now_ms()
    if now - _last_ms >= _LEAST_MS or board_now - _last_board_ms >= _LEAST_BOARD_MS:
        _last_ms, _last_board_ms = now, board_now
        if not host_link.is_asking:
            host_link.notify("heap", gc.mem_alloc(), gc.mem_free())
    return _wait(poll, ms)


def start():
    host_link.wait = _sampled

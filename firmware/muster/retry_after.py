# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How long a server wants to be left alone (RFC 9110, section 10.2.3). Loaded by whoever was asked
# to wait.

import time

from micropython import const

from .errors import DeviceError

_LONGEST_S = const(3600)  # a stranger may have said it
_UNREADABLE_S = const(60)
_TOO_MANY_S = const(30)  # for a 429 that does not say
_MONTHS = const("JanFebMarAprMayJunJulAugSepOctNovDec")


# Returns the seconds, 0 if nobody has asked. headers: as http.Connection's. A date is reckoned
# from the answer's own, so the device's clock does not matter.
def seconds(status, headers):
    wanted = headers.get("retry-after", "")
    if not wanted:
        return _TOO_MANY_S if status == 429 else 0
    if wanted.isdigit():
        wait_s = int(wanted[:6])
    else:
        until, now = _unix(wanted), _unix(headers.get("date", ""))
        wait_s = until - now if until and now else _UNREADABLE_S if ":" in wanted else 0
    return max(0, min(wait_s, _LONGEST_S))


# Reads "Sun, 06 Nov 1994 08:49:37 GMT"; 0 if it is no such date.
def _unix(text):
    try:
        _, day, month, year, hours, zone = text.split(" ")
        hour, minute, second = [int(part) for part in hours.split(":")]
        at = _MONTHS.find(month)
        if zone != "GMT" or at % 3 or len(month) != 3:
            return 0
        return time.mktime((int(year), at // 3 + 1, int(day), hour, minute, second, 0, 0))
    except (ValueError, OverflowError):
        return 0


# Returns when such a wait is over, in ticks.
def until(wait_s):
    return time.ticks_add(time.ticks_ms(), wait_s * 1000)


# Raises DeviceError if a platform's wait is not over. at: from until().
def heed(at):
    left_s = time.ticks_diff(at, time.ticks_ms()) // 1000
    if 0 < left_s <= _LONGEST_S:  # ticks wrap
        text = "it wants to be left alone, %d s more" % left_s
        raise DeviceError("platform_unreachable", text, left_s)

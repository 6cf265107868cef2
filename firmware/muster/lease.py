# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a platform says of a registration: whose it is, and how long it lasts. Loaded by
# registration.py when it says so.

import json

from micropython import const

from .errors import DeviceError
from .modules import borrow

_OK = const("2000")  # of X-M2M-RSC


# Raises DeviceError platform_conflict if the AE that exists already is not this device's own.
def recognise(platform, rsc, answer):
    try:
        found = _read(answer)["m2m:ae"] if rsc == _OK else {}
        is_own = platform.label in found["lbl"] and found["api"] == platform.settings["api"]
    except (KeyError, TypeError):
        is_own = False
    if not is_own:
        text = "%s is registered, but not by this device (RSC %s)" % (platform.originator, rsc)
        error = DeviceError("platform_conflict", text)
        error.is_final = True
        raise error


# What cannot be read has been changed on its way: it says nothing of who is registered, nor for
# how long. Raises DeviceError.
def _read(answer):
    try:
        return json.loads(answer)
    except ValueError:
        raise DeviceError("platform_unreachable", "the platform's answer came without its sense")


# Reads when the registration ends by itself: it is renewed at two thirds of its life.
def of(answer):
    try:
        found = _read(answer)["m2m:ae"] if answer else {}
        began = borrow("onem2m_time", "parse_time", found["lt"])
        life_s = borrow("onem2m_time", "parse_time", found["et"]) - began
        return began + life_s * 2 // 3, life_s
    except (ValueError, KeyError, TypeError):
        return None  # a platform that sets no end

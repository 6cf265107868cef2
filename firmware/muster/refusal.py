# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a server says when it does not do what it was asked for. Loaded when one says so.

import json

from micropython import const

from .actions import ADOPTED
from .errors import DeviceError
from .modules import borrow
from .radio import printable

_LONGEST = const(120)  # of a server's own words
_LONGEST_RETRY_S = const(300)  # errors are not authenticated: their Retry-After is only a hint
# oneM2M's codes for what may pass by itself: not there (yet: a CSE that starts says so, too),
# timed out, and three ways of being out of reach.
_PASSING = const(("4004", "4008", "5103", "5107", "6003"))


# Makes the DeviceError of a request that the platform has refused. verb: what was asked for. body:
# the answer's. token: the device's, which a platform might repeat.
def refused(verb, rsc, body, token):
    text = "cannot %s: the platform says RSC %s" % (verb, rsc)
    error = DeviceError("platform_refused", text + _said(body, "m2m:dbg", token))
    error.is_final = rsc not in _PASSING
    return error


# Looks at an error of the platform's. Raises DeviceError if it may do later what it was asked for.
# 501 is for a release that it does not speak.
def check(status, headers, body, token):
    may_pass = status in (408, 429) or (status >= 500 and status != 501)
    if not may_pass and "retry-after" not in headers:
        return
    text = "the platform says HTTP %d, RSC %s" % (status, headers["x-m2m-rsc"])
    retry_s = borrow("retry_after", "seconds", status, headers)
    raise DeviceError("platform_unreachable", text + _said(body, "m2m:dbg", token), retry_s)


# Makes the DeviceError of an error that a configuration server has answered with, a problem
# document (RFC 9457). k: the name of the key that it was asked with.
def rejected(k, status, headers, body):
    if k == ADOPTED and status == 403:  # in its way it says that it cannot be the server
        text = "this configuration server has not adopted the device; if it has lost its "
        text += "database, restore that, or hold the button for 15 s"
        return DeviceError("server_untrusted", text)
    retry_s = min(borrow("retry_after", "seconds", status, headers), _LONGEST_RETRY_S)
    text = "the configuration server says HTTP %d" % status
    return DeviceError("server_rejected", text + _said(body, "code", None), retry_s)


def _said(body, name, secret):
    try:
        said = json.loads(body)[name]
    except (ValueError, KeyError, TypeError):
        return ""
    if not isinstance(said, str):
        return ""
    if secret:
        said = said.replace(secret, "***")
    return ": " + printable(said[:_LONGEST])

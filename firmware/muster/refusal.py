# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a server says when it does not do what it was asked for. Loaded when one says so.

import json

from micropython import const

from .errors import DeviceError
from .modules import borrow
from .radio import printable

_LONGEST = const(120)  # of a server's own words
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


# Returns the code of a problem document (RFC 9457) as an appendix to a sentence.
def code(body):
    return _said(body, "code", None)


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

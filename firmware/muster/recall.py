# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The journal's record, checked field by field: its checksum says that it is whole, not that this
# firmware wrote it. Loaded at the start, then let go.

from micropython import const

from . import log
from .errors import DeviceError
from .schema import Fields

_LATEST = const(4294967295)
_LONGEST_CODE = const(32)
_MOST_H = const(25)


# Returns (highest, nonce, last, trial, streak, clock, silent_h, timeline); what cannot be read
# begins anew.
def recall(kept):
    try:
        return _recall(Fields({} if kept is None else kept))
    except DeviceError as e:  # what is lost can be had again from the server
        log.error("journal", "begins anew: %s" % e)
        return _recall(Fields({}))


def _recall(fields):
    return (
        fields.take("highest", int, 0, default=0),
        fields.take("nonce", str, default=None, nullable=True),
        _last(fields),
        _pair(fields, "trial", None),
        _pair(fields, "streak", (None, 0)),
        fields.take("clock", int, 0, _LATEST, default=0),
        fields.take("silent_h", int, 0, _MOST_H, default=0),
        _timeline(fields),
    )


def _last(fields):
    if not fields.document.get("last"):
        return None
    last = fields.fields("last")
    found = {name: last.take(name, int) for name in ("config", "step")}
    found.update({name: last.take(name, str) for name in ("code", "detail")})
    return found


# Takes two numbers, of which the first may be missing.
def _pair(fields, name, default):
    pair = fields.take(name, list, 2, 2, default=default, nullable=True) or default
    for n, number in enumerate(pair or ()):
        is_number = type(number) is int and number >= 0
        if not is_number and (n or number is not None):
            raise fields.invalid(name, "wanted numbers")
    return pair


def _timeline(fields):
    text = fields.take("timeline", str, default="")
    if not are_lines(text):
        raise fields.invalid("timeline", "wanted lines of four words")
    return text


# Tells whether the text is that of a timeline's record, e.g. "8 wifi_auth 5020 1795400000\n".
def are_lines(text):
    for line in text.split("\n")[:-1]:
        parts = line.split(" ")
        is_line = len(parts) == 4 and 0 < len(parts[1]) <= _LONGEST_CODE
        if not is_line or not (parts[2].isdigit() and parts[3].isdigit()):
            return False
        if len(parts[0]) != 1 or not "1" <= parts[0] <= "9":
            return False
    return not text or text.endswith("\n")

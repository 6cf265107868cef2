# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A directive, what the device gets back in step 6: parsed, checked, ready to be obeyed.

import json

from micropython import const

from .actions import CONFIGURE, FORGET, KEEP, WAIT, Directive

_LONGEST_RETRY_S = const(86400)
_CARRIES = const(256)  # a longer directive will carry a configuration
_EARLIEST = const(946684800)  # where the ESP32 starts to count
_LATEST = const(4294967295)  # in 2106; its calendar and its clock chip reach no further for sure


# Reads a directive and returns it. texts: a list of one, which is emptied, so that it is not in
# RAM with what it says. Raises DeviceError config_invalid with the path of the first field that is
# wrong.
def parse(texts):
    from .schema import Fields, invalid

    if len(texts[0]) > _CARRIES:  # its parts find room among others, this module's code does not
        from . import configuration
    try:
        document = json.loads(texts.pop())
    except ValueError:
        raise invalid("", "the directive is not JSON")
    fields = Fields(document)
    if fields.take("v", int) != 1:
        raise fields.invalid("v", "only version 1 of the document is understood")
    nonce = fields.take("nonce", str, 1, 64)
    time = fields.take("time", int, _EARLIEST, _LATEST)
    action = fields.take("action", str)
    if action not in (CONFIGURE, KEEP, WAIT, FORGET):
        raise fields.invalid("action", "not one of configure, keep, wait, forget")
    retry_s = min(fields.take("retry_s", int, 0), _LONGEST_RETRY_S)
    config = None
    if action == CONFIGURE:
        from . import configuration

        config = configuration.check(fields.take("config", dict))
    elif "config" in document:
        raise fields.invalid("config", "only configure carries a configuration")
    return Directive(action, nonce, time, retry_s, config)

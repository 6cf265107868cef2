# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a valid configuration looks like to the device. The server checks before it hands one out;
# the device checks again, because it is the one on the ceiling.

from micropython import const

from . import url
from .compact import Measure, dump
from .modules import borrow
from .schema import Fields, invalid

_LARGEST = const(4096)  # bytes of compact JSON
_HIGHEST = const(2147483647)  # of an integer: a version goes over the wire in every report
_DAY_S = const(86400)
_DEEPEST = const(16)  # lists and objects in each other: writing or comparing takes stack for each


# Checks the whole document and returns it. Raises DeviceError config_invalid with the path of the
# first field that is wrong.
def check(document):
    config = Fields(document, "config")
    if config.take("v", int) != 1:
        raise config.invalid("v", "only version 1 of the document is understood")
    config.take("version", int, 1, _HIGHEST)
    networks = config.take("networks", list, 0, 4)
    if not networks and not _takes_local(document):
        raise config.invalid("networks", "wanted 1 to 4, or policy.local_wifi to give one here")
    borrow("networks", "check", networks)
    platform = config.fields("platform")
    borrow("platform_settings", "check", platform, _url(platform, "url"))
    server = config.fields("config_server")
    _url(server, "url")
    for name in ("key", "adoption"):
        size = len(server.base64(name))
        if size != 32:
            raise server.invalid(name, "wanted 32 bytes, got %d" % size)
    device = config.fields("device")
    device.take("name", str, 0, 64)
    tags = device.fields("tags")
    for name in tags.document:
        tags.take(name, str, 0, 256)
    config.take("app", dict)
    country = config.take("country", str, 2, 2)
    # In bytes, here and elsewhere: MicroPython keeps each character that it has ever seen alone.
    if not all(65 <= c <= 90 for c in country.encode()):
        raise config.invalid("country", "wanted two capital letters")
    policy = config.fields("policy")
    policy.take("failsafe_s", int, 0, _HIGHEST)
    policy.take("sync_s", int, 1, _HIGHEST)
    if not _is_flat(document):
        raise invalid("config", "lists and objects more than %d deep" % _DEEPEST)
    counter = Measure()
    dump(document, counter)
    if counter.size > _LARGEST:
        raise invalid("config", "at most %d bytes wanted, got %d" % (_LARGEST, counter.size))
    policy.take("ntp", str, 1, 253, nullable=True)
    policy.take("local_wifi", bool, default=False)
    policy.take("commands_s", int, 0, _DAY_S, default=None)
    return document


# Tells whether somebody beside the device may give it a network, before the policy is checked.
def _takes_local(document):
    policy = document.get("policy")
    return isinstance(policy, dict) and policy.get("local_wifi") is True


def _is_flat(document):
    level = [document]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    return not level


def _inside(outer):
    values = outer.values() if isinstance(outer, dict) else outer
    return [value for value in values if isinstance(value, (dict, list))]


# Tells whether the URL is an https one. Raises DeviceError if it is no URL.
def _url(fields, name):
    try:
        return url.split(fields.take(name, str, 1, 256))[0]
    except ValueError:
        raise fields.invalid(name, "wanted http:// or https://, a host, and a port if any")

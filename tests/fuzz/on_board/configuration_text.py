# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A configuration: whatever the device takes it must be able to use.

import json

import goldens
from mutation import changed_json, some

from muster.association import _quad_and_mask
from muster.clock import Clock
from muster.configuration import check
from muster.errors import DeviceError
from muster.joining import name
from muster.platform import platform_for
from muster.radio import printable

ROOM = 512 << 10
_WORDS = [b",", b'"', b"null", b"[", b"]", b"{", b"}", b"1e5", b"\\u0000", b"/", b".", b"\xff"]
SEEDS = [goldens.json_bytes(value) for value in goldens.values("configurations")]


def make(corpus):
    try:
        document = json.loads(some(corpus))
    except ValueError:
        document = {}
    return changed_json(document, some(corpus), _WORDS)[:8192]


def play(data):
    try:
        document = json.loads(data)
    except ValueError:
        return None
    try:
        config = check(document)
    except DeviceError as e:
        return None if e.code == "config_invalid" and len(e.detail) < 9000 else "not well: %r" % e
    for network in config["networks"]:
        printable(name(network))
        if network["ip"] != "dhcp":
            _quad_and_mask(network["ip"]["address"])
    try:
        platform = platform_for(config["platform"], "PRESS-4", None)
    except DeviceError as e:  # a certificate that is none
        return None if e.code == "config_invalid" else "not well: %r" % e
    if not platform.originator.startswith("C"):
        return "no originator"
    if max(60, min(config["policy"]["failsafe_s"], 900)) > 900 or not Clock:
        return "no failsafe"
    return None

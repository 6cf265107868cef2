# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's log on the serial console, one line an event: M <ticks_ms> <level> <where> <text>

import time

from micropython import const

_REDACTED = const("***")
_SHORTEST_SECRET = const(6)  # hiding a shorter one would blot out innocent text

_MOST = const(24)  # secrets: those of the configuration in use, of its successor, and of the build

_hidden: list[str] = []


# Keeps the text out of the log from now on. A second line of defence: the first is that no caller
# passes a key, a password or a token.
def hide(secret):
    if secret and len(secret) >= _SHORTEST_SECRET and secret not in _hidden:
        _hidden.append(secret)
        del _hidden[:-_MOST]


# Hides the secrets of a configuration, received or found at the start.
def hide_config(config):
    hide(config["config_server"]["key"])
    hide(config["config_server"].get("adoption"))
    hide(config["platform"]["token"])
    for network in config["networks"]:
        hide(network["psk"])


def info(where, text):
    _line("I", where, text)


def warn(where, text):
    _line("W", where, text)


def error(where, text):
    _line("E", where, text)


def _line(level, where, text):
    text = str(text)
    for secret in _hidden:
        text = text.replace(secret, _REDACTED)
    # A control character in an SSID or in a server's answer must not forge a second line. Not
    # character by character: MicroPython keeps each that it has ever seen alone, for good.
    raw = bytearray(text.encode())
    for i, byte in enumerate(raw):
        if byte < 32:
            raw[i] = 63  # a question mark
    text = raw.decode()
    print("M %s %s %s %s" % (time.ticks_ms(), level, where, text))

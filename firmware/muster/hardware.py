# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The only file that knows machine, esp32 and network; everything else receives objects from here.

import json

import esp32
import machine
import network
from micropython import const

_FACTS = const(
    "/muster.json"
)  # written when the firmware is deployed: board, pins, build settings
_CAUSES = {
    machine.PWRON_RESET: "power_on",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep_sleep",
    machine.SOFT_RESET: "soft",
}


# Returns what the deployment knew of this board, e.g. {"board": "ESP32_GENERIC", "model": "press",
# "built": 1795000000, "button": {"pin": 0, "active": 0}, "led": None, "onboarding": {...}}.
def read_facts():
    with open(_FACTS) as f:
        return json.load(f)


def open_nvs(namespace):
    return esp32.NVS(namespace)


def reset_cause():
    return _CAUSES.get(machine.reset_cause(), "unknown")


# Returns the function that restarts the board; to be held by who may find no memory to look for
# it.
def restarter():
    return machine.reset


# Sleeps deeply and does not return, unless the board cannot: its port has no deep sleep, or
# refuses it because of a pin that was set to wake it and cannot do so.
def deep_sleep(ms):
    try:
        machine.deepsleep(ms)
    except (AttributeError, ValueError):
        pass


def light_sleep(ms):
    machine.lightsleep(ms)


# Lets the radio's driver take its memory.
def open_radio():
    network.WLAN(network.WLAN.IF_STA)


# Returns the station interface; its name on the network must be set before the first connection.
def open_wlan(hostname):
    network.hostname(hostname[:32])
    return network.WLAN(network.WLAN.IF_STA)


def access_point():
    return network.WLAN(network.WLAN.IF_AP)


# Returns the function that sets the country, from two letters.
def country():
    return network.country


# Returns the RTC, whose datetime and memory outlive every reset that is not a loss of power.
def rtc():
    return machine.RTC()


# fact is {"pin": number, "active": level}.
def input_pin(fact):
    return machine.Pin(fact["pin"], machine.Pin.IN, machine.Pin.PULL_UP)


def output_pin(fact):
    return machine.Pin(fact["pin"], machine.Pin.OUT, value=1 - fact["active"])


# Returns how much of ESP-IDF's heap is free, and how much of that in one piece, in bytes.
def idf_heap():
    regions = esp32.idf_heap_info(esp32.HEAP_DATA)
    return [sum([r[1] for r in regions]), max([r[2] for r in regions])]


# Returns the chip's own number, in hexadecimal digits.
def chip():
    return machine.unique_id().hex()


# Starts the watchdog. It cannot be stopped, but making it again changes its time.
def watchdog(timeout_ms):
    return machine.WDT(timeout=timeout_ms)

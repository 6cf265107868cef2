# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Switching the radio on, and to less power. Loaded by wifi.py when it is needed.

from . import log
from .radio import refused


# Brings the radio up, if it is not, whatever state a former program has left it in. Should it
# refuse all the same, it goes off and on once. Raises DeviceError.
def start(wifi, wlan):
    try:
        _start(wifi, wlan)
    except (OSError, RuntimeError, ValueError) as e:
        log.warn("wifi", "off and on again: %s" % e)
        wifi.stop()
        try:
            _start(wifi, wlan)
        except (OSError, RuntimeError, ValueError) as e:
            raise refused(e)


def _start(wifi, wlan):
    if not wifi.is_ours:
        wlan.active(False)
    if not wlan.active():
        wlan.active(True)
        # The driver would reconnect for ever and blur status(); Muster retries by itself. Only
        # now: a driver that connects refuses every setting.
        wlan.config(reconnects=0)
        wifi.is_ours = True
    # Power saving adds up to a second to each answer and drops multicast.
    wlan.config(pm=wlan.PM_NONE)


def save(wlan):
    try:
        wlan.config(pm=wlan.PM_PERFORMANCE)
    except (OSError, RuntimeError, ValueError) as e:
        log.warn("wifi", "no power saving: %s" % e)

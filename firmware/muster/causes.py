# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Why no network could be joined: every cause, the most telling first. Loaded when there is one.

from micropython import const

from .errors import DeviceError
from .radio import printable

# Who gave no address has let the device in; whoever refuses is at least there.
_TELLING = const(("dhcp_timeout", "wifi_auth", "wifi_security", "wifi_timeout", "wifi_no_ap"))

# status() after a failed attempt, see modnetwork_globals.h and esp_wifi_types_generic.h. A wrong
# password is seen as any of four: AUTH_EXPIRE, 4WAY_HANDSHAKE_TIMEOUT, WRONG_PASSWORD (which
# includes CONNECTION_FAIL) and HANDSHAKE_TIMEOUT. So is a lost frame, and an access point that
# wants the device on another band.
_PASSWORD = const((2, 15, 202, 204))
_SECURITY = const((210, 211))
_OFTEN = const(3)
_GOOD_DBM = const(-75)


# Returns the DeviceError of places that were all tried in vain. targets: as of joining.py.
def told(targets):
    errors = [(target.ssid, _cause(target)) for target in targets]
    # What answers to its name elsewhere is not absent.
    there = [ssid for ssid, e in errors if e.code != "wifi_no_ap"]
    found = [e for ssid, e in errors if e.code != "wifi_no_ap" or ssid not in there]
    found.sort(key=lambda e: _TELLING.index(e.code) if e.code in _TELLING else len(_TELLING))
    texts: list = []
    for e in found:
        if e.detail not in texts:
            texts.append(e.detail)
    error = DeviceError(found[0].code, "; ".join(texts))
    error.is_final = all(e.is_final for e in found)
    return error


def _cause(target):
    if target.error:
        return target.error
    text = printable(target.ssid)
    said = target.said
    if not said:
        return DeviceError("wifi_timeout", "%s: no time to try it" % text)
    if target.is_absent():
        return DeviceError("wifi_no_ap", "%s: not heard" % text)
    if all(reason in _SECURITY for reason in said):
        error = DeviceError("wifi_security", "%s: status %d, another security" % (text, said[-1]))
        error.is_final = target.is_done()
        return error
    if len(said) >= _OFTEN and all(reason in _PASSWORD for reason in said):
        return _refused_password(target, text)
    reasons = sorted(set(said))
    words = ", ".join([str(reason) for reason in reasons])
    return DeviceError("wifi_timeout", "%s: status %s, %d times" % (text, words, len(said)))


# A password that is right is refused, too, where half of the frames are lost.
def _refused_password(target, text):
    times = len(target.said)
    if target.rssi is not None and target.rssi < _GOOD_DBM:
        form = "%s: status %d at %d dBm, a weak signal or a wrong password"
        return DeviceError("wifi_timeout", form % (text, target.said[-1], target.rssi))
    form = "%s: password refused %d times, or another network of that name"
    error = DeviceError("wifi_auth", form % (text, times))
    error.is_final = target.is_done()
    return error

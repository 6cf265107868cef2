# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Each quirk of the emulated board, taken away, and the probe that has to notice."""

from collections.abc import Callable
from typing import Any

import pytest

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.air import Air
from muster_harness.control import Refusal
from muster_harness.esp32.parts.chips import Chip
from muster_harness.esp32.parts.pins import Pins
from muster_harness.esp32.radio.driver import Radio
from muster_harness.esp32.radio.resolver import Resolver
from muster_harness.esp32.radio.soft_ap import SoftAP
from muster_harness.esp32.radio.wlan import WLAN
from muster_harness.esp32.supervisor import Supervisor

Patch = pytest.MonkeyPatch
# In the shims: file, what it says, what it is made to say, and the probe that has to notice.
IN_SHIMS = {
    "the epoch is 1970": (
        "time.py",
        "_EPOCH_S = const(946684800)",
        "_EPOCH_S = const(0)",
        "clock",
    ),
    "ticks wrap elsewhere": ("clock.py", "PERIOD = 1 << 30", "PERIOD = 1 << 31", "ticks"),
    "errno is Linux's": ("newlib_errno.py", "ETIMEDOUT = 116", "ETIMEDOUT = 110", "errno"),
    "a timer prints its mode": ("timer.py", '"ONE_SHOT" if', '"ONE_SHOT" if not', "timers"),
    "a long host name passes": ("network.py", "(name[0])) > 32", "(name[0])) > 64", "network"),
    "sendto takes names": (
        "socket.py",
        "addresses.numeric(address[0])",
        "addresses.resolve(address[0])",
        "sockets_alone",
    ),
    "a timeout is Linux's": (
        "host_sockets.py",
        "_ETIMEDOUT = const(116)",
        "_ETIMEDOUT = const(110)",
        "sockets",
    ),
    "connect() takes keywords": (
        "network.py",
        "bssid=None):",
        "bssid=None, **k):",
        "wlan_settings",
    ),
    "PWM is exact": ("later/pwm.py", "duty >> 16 - bits << 16 - bits", "duty", "pwm"),
    "RTC memory has no end": ("machine.py", "[0])) > 2048", "[0])) > 4096", "rtc_memory"),
    "a float is an integer": (
        "arguments.py",
        "range(value).stop",
        "int(value)",
        "arguments",
    ),
    "who has not said the password hears all": (
        "later/web_repl.py",
        "return len(buf)",
        "pass",
        "second_terminal",
    ),
    "Ethernet takes any address": (
        "later/lan.py",
        "<= integer(phy_addr) <= 31",
        "<= integer(phy_addr) <= 99",
        "lan",
    ),
    "samples move the other way": (
        "later/i2s.py",
        "<< shift if shift >= 0",
        "<< shift if shift < 0",
        "seldom",
    ),
    "a search for nobody never ends": (
        "later/ble.py",
        "_VIEWS.get(event, ())",
        "(2, 2, 2)",
        "bluetooth",
    ),
    "ESP-NOW sends without a mistake": (
        "later/esp_now.py",
        "return is_heard or",
        "return True or",
        "espnow",
    ),
    "no interrupt is lost": ("host_link.py", "_DEPTH = const(8)", "_DEPTH = 64", "scheduler"),
    "there is a second slot": (
        "esp32.py",
        "raise OSError(2)\n\n    @classm",
        "return self\n\n    @classm",
        "partitions",
    ),
    "what is peeked at is gone": ("socket.py", "n, _native.MSG_PEEK)", "n)", "loopback"),
    "files carry the host's time": ("dated_stat.py", "found[8] - ago", "found[8]", "files"),
    "who looks at the clock hears no timer": (
        "time.py",
        "if not host_link.is_delivering:",
        "if host_link.is_delivering:",
        "scheduler",
    ),
    "a star takes what modules are made of": (
        "later/star.py",
        "name not in _HELPERS",
        "True",
        "interpreter",
    ),
    "gmtime() takes a text": ("time.py", "range(secs).stop", "int(secs)", "clock"),
    "ipoll() tells in many tuples": (
        "select.py",
        "map(_tell, ready)",
        "iter(ready)",
        "polling",
    ),
    "a module says where it lies on the host": (
        "on_demand.py",
        "del module.__file__",
        "pass",
        "interpreter",
    ),
    "sys is a host's": (
        "esp32_sys.py",
        '"platform": "esp32"',
        '"platform": "linux"',
        "interpreter",
    ),
    "any attribute is taken": (
        "dated_tls.py",
        "setattr(self._native, name, value)",
        "object.__setattr__(self, name, value)",
        "interpreter",
    ),
    "a lock lets everybody in": ("later/threads.py", "native.acquire(0)", "native", "threads"),
    "an RMT takes no time": (
        "later/rmt.py",
        "clock.now_us() + int(sum(us))",
        "clock.now_us() + 0 * int(sum(us))",
        "rmt",
    ),
    "any pin can be touched": (
        "later/analogue.py",
        'not in host_link.chip["touch_pins"]',
        "not in range(40)",
        "analogue",
    ),
    "a card has no end": ("later/sd_card.py", "<= blocks - size", "<= blocks + size", "sd_card"),
    "a 1-Wire search sees one": ("later/onewire.py", "fork = at\n", "fork = 0\n", "one_wire"),
    "a UART is as fast as the host": (
        "machine_uart.py",
        "frame_bits * 1000000",
        "frame_bits * 0",
        "serial_time",
    ),
    "an encoder has one phase": (
        "later/counters.py",
        "if phases == 4",
        "if phases == 5",
        "counters",
    ),
    "sys.stdout.buffer changes bytes": (
        "output.py",
        "hexlify(buf)",
        "hexlify(buf.upper())",
        "console",
    ),
    "pixels are not swapped": ("later/neopixel.py", "(1, 0, 2, 3)", "(0, 1, 2, 3)", "neopixel"),
    "any attenuation is taken": ("later/adc.py", "0 <= atten <= 3", "atten >= 0", "buses"),
    "any frequency is taken": ("machine.py", "not in host_link.", "in host_link.", "chip"),
}


def _set(name: str, value: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(name, value)


def _set_of(kind: type, name: str, value: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(kind, name, value)


def _before(kind: type, method: str, also: Callable[..., object]) -> Callable[[Patch], None]:
    """Lets a method do something else first."""
    plain = getattr(kind, method)

    def changed(self: Any, *arguments: Any, **named: Any) -> Any:
        also(self, *arguments, **named)
        return plain(self, *arguments, **named)

    return lambda patch: patch.setattr(kind, method, changed)


def _raise_if_it_fails(radio: Radio) -> None:
    if radio.air.scan_fails:
        raise Refusal("OSError", "Wifi Internal Error")


def _of_name(air: Air, board: str, ssid: bytes, bssid: bytes | None) -> list[AccessPoint]:
    return [p for p in air.heard_by(board) if p.ssid == ssid and bssid in (None, p.bssid)]


def _is_up(wlan: WLAN, interface: int) -> bool:
    return wlan._radio.joined is not None


def _connected_without_waiting(patch: Patch) -> None:
    patch.setattr(WLAN, "_isconnected", _is_up)
    # The address takes longer than usual, so that a probe on a busy host sees the time before it.
    patch.setattr(AccessPoint, "dhcp_s", property(lambda point: 0.5, _ignore), raising=False)


def _ignore(point: AccessPoint, value: object) -> None:
    return


_SHOWN = property(lambda point: False, lambda point, hidden: None)
# In the rest of the harness: how it is broken, and the probe that has to notice.
BEHIND_THEM: dict[str, tuple[Callable[[Patch], None], str]] = {
    "210 hides behind connecting": (
        _set("muster_harness.esp32.radio.driver._BEFORE_CONNECTING", (201, 212, 211)),
        "air_refusals",
    ),
    "205 stays 205": (
        _set("muster_harness.esp32.radio.driver._REASON_CONNECTION_FAIL", 999),
        "air_refusals",
    ),
    "202 hides behind connecting": (
        _set("muster_harness.esp32.radio.driver._REASON_AUTH_FAIL", 999),
        "air_refusals",
    ),
    "the strongest of one name is joined": (
        lambda patch: patch.setattr(
            Air, "find", lambda air, board, ssid, bssid: _of_name(air, board, ssid, bssid)
        ),
        "air_choice",
    ),
    "a failed scan raises": (_before(Radio, "scan", _raise_if_it_fails), "air_scan"),
    "hidden networks are shown": (
        lambda patch: patch.setattr(AccessPoint, "hidden", _SHOWN, raising=False),
        "air_scan",
    ),
    "connected without an address": (
        lambda patch: patch.setattr(WLAN, "_isconnected", _is_up),
        "air_address",
    ),
    "connected as soon as associated": (_connected_without_waiting, "join"),
    "a name that cannot be found is -2": (
        _set("muster_harness.esp32.radio.resolver._FAILED", -2),
        "air_names",
    ),
    "an unknown name is -2": (_set("muster_harness.esp32.radio.resolver._FAILED", -2), "names"),
    "DHCP is started twice": (_set_of(Radio, "has_dhcp_running", False), "air_mute"),
    "hidden networks are found on every channel": (
        _set("muster_harness.esp32.radio.driver_rules._LAST_ACTIVE", 14),
        "air_channels",
    ),
    "TLS takes nothing": (
        _set("muster_harness.esp32.parts.idf_heap.TLS_IN", 1),
        "tls_memory",
    ),
    "no answer is kept": (
        lambda patch: patch.setattr(Resolver, "keep", lambda *_: None),
        "air_records",
    ),
    "a lost address is told": (
        _before(Radio, "_drop_address", lambda radio: setattr(radio, "is_connected", False)),
        "air_leases",
    ),
    "settings are taken while it connects": (
        lambda patch: patch.setattr(Radio, "require_settable", lambda radio: None),
        "wlan_busy",
    ),
    "a dead link is left": (
        _before(
            AccessPoint,
            "go_dead",
            lambda point, **_: point.disconnect_all(),
        ),
        "air_dead",
    ),
    "reconnects end": (
        _before(Radio, "connect", lambda radio, *_: setattr(radio, "reconnects", 1)),
        "air_lost",
    ),
    "connect() clears the reason": (
        _before(Radio, "connect", lambda radio, *_: setattr(radio, "reason", 0)),
        "wlan",
    ),
    "the wrong password is forgotten": (
        _before(Radio, "connect", lambda radio, *_: setattr(radio, "reason", 0)),
        "wrong_password",
    ),
    "a second connect() begins anew": (
        _before(Radio, "connect", lambda radio, *_: radio._leave_silently()),
        "wlan",
    ),
    "the radio ends at a soft reset": (
        _before(Supervisor, "_soft_reset_after", lambda board, *_: board.wlan.restart()),
        "wlan_soft_reset",
    ),
    "a network is left at a soft reset": (
        _before(Supervisor, "_soft_reset_after", lambda board, *_: board.radio._leave_silently()),
        "join",
    ),
    "the access point lets more in": (
        _before(
            SoftAP, "activate", lambda ap, *_: vars(ap).get("settings", {}).update(max_clients=9)
        ),
        "wlan_ap",
    ),
    "the ring has no end": (
        _set("muster_harness.esp32.parts.uart.RING_BYTES", 4096),
        "console_ring",
    ),
    "NVS holds more": (
        _set("muster_harness.esp32.parts.nvs._ENTRIES_PER_PAGE", 200),
        "nvs_capacity",
    ),
    "keys may be long": (_set("muster_harness.esp32.parts.nvs._NAME_BYTES", 16), "nvs"),
    "the clock ends at a hard reset": (
        _before(Supervisor, "_restart_chip", lambda board, *_: board.rtc.set_us(0)),
        "clock",
    ),
    "RTC memory ends at a hard reset": (
        _before(Supervisor, "_restart_chip", lambda board, *_: board.rtc.lose_power()),
        "rtc_memory",
    ),
    "a reset is a power-on": (
        lambda patch: patch.setattr(
            Supervisor, "hard_reset", lambda board, *_: Supervisor.button_reset(board)
        ),
        "reset_causes",
    ),
    "the watchdog ends at a soft reset": (
        _before(Supervisor, "_soft_reset_after", lambda board, *_: board.watchdog.stop()),
        "watchdog",
    ),
    "every pin wakes": (
        _set(
            "muster_harness.esp32.supervisor.chip",
            lambda name: Chip(name, wake_pins=frozenset(range(40))),
        ),
        "sleep",
    ),
    "every pin drives": (
        _before(Pins, "ask", lambda pins, *_: setattr(pins, "_input_only", frozenset())),
        "pins",
    ),
    "a pin says little": (
        _set("muster_harness.esp32.parts.pins._described", lambda number, pin: f"Pin({number})"),
        "pin_repr",
    ),
}

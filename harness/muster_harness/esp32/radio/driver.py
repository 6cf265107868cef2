# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The station side of the Wi-Fi driver, and the way MicroPython's port looks at it.

Follows ports/esp32/network_wlan.c: the order in which status() decides, the stale disconnect
reason, reconnecting for ever by default. Lives as long as the chip has power, so it survives
a soft reset; `restart` begins anew.
"""

import contextlib
import ipaddress
from collections.abc import Callable

from muster_harness.air.access_point import AccessPoint, Station
from muster_harness.air.admission import REASON_BEACON_TIMEOUT, REASON_NO_AP_FOUND
from muster_harness.air.air import Air
from muster_harness.air.dead_links import Cure
from muster_harness.air.dhcp_server import NOWHERE, Lease
from muster_harness.control import Later, Refusal
from muster_harness.errors import AirError, BoardError
from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.esp32.radio.driver_rules import DriverRules
from muster_harness.esp32.radio.soft_ap import SoftAP
from muster_harness.loop import Loop, Timer

STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
_LOOK_S = 0.1
_REASON_ASSOC_LEAVE = 8
_REASON_AUTH_FAIL = 202
_REASON_CONNECTION_FAIL = 205
# the order of network_wlan_status()
_BEFORE_CONNECTING = (201, 212, 211, 210)


Found = tuple[str, str, int, int, int]  # of a scan, SSID and BSSID in hex


class Radio(Station):
    """One board's station interface. Everything runs in the board's loop, except `lost`."""

    def __init__(
        self,
        loop: Loop,
        clock: BoardClock,
        air: Air,
        name: str,
        mac: bytes,
        on_link: Callable[[str | None], None],
        soft_ap: SoftAP,
        rules: DriverRules,
        say: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._clock = clock
        self.air = air
        self.name = name
        self.mac = mac
        self._on_link = on_link  # told the board's address, or None
        self._soft_ap = soft_ap  # shares the antenna
        self._rules = rules
        self._say = say  # what the driver logs as an error
        self.joined: AccessPoint | None = None
        soft_ap.follow(lambda: self.joined.channel if self.joined else None)
        self._step: Timer | None = None
        self.restart()

    def restart(self) -> None:
        """Forget everything, as after power-on."""
        self._leave_silently()
        self.is_active = False
        self.is_requested = False
        self.reason = 0  # of the last disconnect; only an address clears it
        self.reconnects = 0  # configured limit + 1; 0 is for ever
        self._tries = 0
        self.ssid = b""
        self._key = b""
        self._bssid: bytes | None = None
        self._is_trying = False
        self._before: Cure = "restart"  # what was done before the next association
        self.static: tuple[str, str, str, str] | None = None
        self.dns = NOWHERE

    # -- what the program asks

    def activate(self, is_active: bool) -> None:
        if self.is_active and not is_active:
            was_up = self.joined is not None
            self._leave_silently()
            if self._before == "association":
                self._before = "radio"
            if was_up:
                self.reason = _REASON_ASSOC_LEAVE
        if is_active and not self.is_active:
            self._tries = 0
        self.is_active = is_active

    def connect(self, target: tuple[bytes, bytes, bytes | None] | None) -> None:
        """Begin to join (ssid, key, bssid); None means the one of last time.

        Raises Refusal if the station is off, connecting or connected.
        """
        self._require_active()
        if target is not None:
            self.require_settable()
        if self._is_trying or self.joined is not None:
            # what is being tried goes on undisturbed
            self._say("sta is connecting, return error")
            raise Refusal("OSError", "Wifi Internal Error")
        if target is not None:
            self.ssid, self._key, self._bssid = target
        self._tries = 0
        self.is_requested = True
        self._try()

    def require_settable(self) -> None:
        """Raise Refusal where esp_wifi_set_config refuses.

        From ESP-IDF 5.5 on it takes no settings for a station that is connecting or has no address
        yet (esp-idf#17686, #17941).
        """
        is_busy = self._is_trying or self.joined is not None and not self.is_connected
        if is_busy and self._rules.refuses_settings_while_connecting:
            self._say("sta is connecting, cannot set config")
            raise Refusal("OSError", "Wifi Internal State Error")

    def disconnect(self) -> None:
        """Leave, or end what is being tried."""
        self.is_requested = False
        self._require_active()
        if self._is_trying or self.joined is not None:
            self._leave_silently()
            self.reason = _REASON_ASSOC_LEAVE

    def status(self) -> int:
        if self.is_connected:
            return STAT_GOT_IP
        if self.reason in _BEFORE_CONNECTING:
            return self.reason
        if self.reason in (_REASON_AUTH_FAIL, _REASON_CONNECTION_FAIL):
            return _REASON_AUTH_FAIL
        if self.reason == _REASON_ASSOC_LEAVE:
            return STAT_IDLE
        if self.is_requested and (self.reconnects == 0 or self._tries < self.reconnects):
            return STAT_CONNECTING
        return STAT_IDLE if self.reason == 0 else self.reason

    def rssi(self) -> int:
        """Return the signal of the joined network in dBm. Raises Refusal if none is joined."""
        if self.joined is None:
            raise Refusal("OSError", "Wifi Not Connected")
        return self.joined.rssi

    def scan(self) -> Later | list[Found]:
        """Return what can be heard, strongest first; nothing while an attempt is under way.

        Raises Refusal if the station is off.
        """
        if not self.is_active:
            raise Refusal("OSError", "STA must be active")
        if self._is_trying:  # ESP_ERR_WIFI_STATE, of which the port makes an empty list
            self.air.trace_event(self.name, "scan", found=0, failed=True)
            return []
        answer = Later()
        self._soft_ap.be_deaf(self.air.scan_s)
        self._clock.later(self.air.scan_s, lambda: answer.give(self._found()))
        return answer

    def _found(self) -> list[Found]:
        if self.air.scan_fails > 0:
            self.air.scan_fails -= 1
            self.air.trace_event(self.name, "scan", found=0, failed=True)
            return []
        points = self.air.heard_by(self.name) if self.is_active else []
        points = [point for point in points if self._rules.tunes_to(point.channel)]
        self.air.trace_event(self.name, "scan", found=len(points))
        return [
            (
                "" if p.hidden else p.ssid.hex(),
                p.bssid.hex(),
                p.channel,
                p.rssi,
                p.security,
            )
            for p in points
        ]

    # -- what happens in the air

    joined: AccessPoint | None = None  # associated, with or without an address
    address: str | None = None  # of the own, once there is one
    is_connected = False  # has had an address since it associated (IP_EVENT_STA_GOT_IP)
    gateway = NOWHERE
    netmask = NOWHERE

    def _try(self) -> None:
        self._is_trying = True
        point, mismatch = self._choose()
        if point is None:
            self._soft_ap.be_deaf(self.air.scan_s)
            self._after(self.air.scan_s, lambda: self._failed(mismatch or REASON_NO_AP_FOUND))
            return
        reason = point.check(self._key, self.name)
        if reason is None:
            self._after(self.air.association_s, lambda: self._associated(point))
        else:
            self._after(self.air.failure_s, lambda: self._failed(reason, point))

    # WIFI_FAST_SCAN, which the port leaves at its default: channel by channel, and the first one
    # that fits ends the scan, whatever stands on later channels.
    def _choose(self) -> tuple[AccessPoint | None, int | None]:
        mismatch = None
        for point in self.air.find(self.name, self.ssid, self._bssid):
            if not self._rules.finds(point.channel, point.hidden):
                continue
            mismatch = point.mismatch(self._key, self._rules.lacks)
            if mismatch is None:
                return point, None
        return None, mismatch

    def _associated(self, point: AccessPoint) -> None:
        self._is_trying = False
        if point not in self.air.find(self.name, self.ssid, self._bssid):
            self._failed(REASON_NO_AP_FOUND)
            return
        self.joined = point
        point.stations.append(self)
        point.associated(self.name, self._before)
        self._before = "association"
        self._watch(point)
        self._soft_ap.move_to(point.channel)
        self.air.trace_event(
            self.name, "join", ssid=point.ssid, channel=point.channel, bssid=point.bssid.hex(":")
        )
        if self.static is not None:
            self._up(point, Lease(*self.static))
        else:
            self._discover(point)

    # A server that falls silent meanwhile never answers, one that wakes is found when it is asked
    # again, which lwIP does for ever.
    def _discover(self, point: AccessPoint) -> None:
        if point.dhcp.delay_s is not None:
            self._after(point.dhcp.delay_s, lambda: self._requested(point))

    def _requested(self, point: AccessPoint) -> None:
        try:
            lease = point.dhcp.reply(self.name)
        except AirError:  # a DHCP server without an address left does not answer
            self.air.trace_event(self.name, "no address", ssid=point.ssid)
            return
        if lease is not None:
            self._up(point, lease)
            return
        # The port hears nothing of a lost address, so that a NAK leaves a station connected, to
        # itself, without one.
        self.air.trace_event(self.name, "nak", ssid=point.ssid)
        self._drop_address()
        self._discover(point)

    def renew(self, access_point: AccessPoint) -> None:
        """From any thread: the lease comes up for renewal."""
        self._loop.post(lambda: self._renew(access_point))

    def _renew(self, access_point: AccessPoint) -> None:
        if self.joined is access_point and self.address is not None and self.static is None:
            self._requested(access_point)

    def _up(self, point: AccessPoint, lease: Lease) -> None:
        if self.address not in (None, lease.address):
            self._drop_address()
        was = self.address
        self.address, self.netmask, self.gateway, self.dns = (
            lease.address,
            lease.netmask,
            lease.router,
            lease.dns,
        )
        self.is_connected = True
        self.reason = 0
        if was is None:
            self.air.trace_event(self.name, "address", ssid=point.ssid, address=lease.address)
            self._on_link(lease.address if lease.address in point.addresses else None)

    def _drop_address(self) -> None:
        if self.address is not None:
            self.address = None
            self.gateway = self.netmask = NOWHERE
            self._on_link(None)

    def can_reach(self, address: str) -> bool:
        """Tell whether lwIP finds a way: the address is on the own link, or there is a router."""
        if self.address is None:
            return False
        link = ipaddress.ip_network(f"{self.address}/{self.netmask}", strict=False)
        return ipaddress.ip_address(address) in link or self.gateway != NOWHERE

    def _failed(self, reason: int, point: AccessPoint | None = None) -> None:
        self._is_trying = False
        self.reason = reason
        by = {} if point is None else {"bssid": point.bssid.hex(":")}
        self.air.trace_event(self.name, "refused", ssid=self.ssid, reason=reason, **by)
        self._retry()

    def _retry(self) -> None:
        # the driver's STA_DISCONNECTED handler
        if not self.is_requested or not self.is_active:
            return
        if self.reconnects:
            self._tries += 1
            if self._tries >= self.reconnects:
                return
        self._try()

    def lost(self, access_point: AccessPoint, reason: int = REASON_BEACON_TIMEOUT) -> None:
        """From any thread: the access point is gone. Nothing sent after this returns is heard."""
        with contextlib.suppress(BoardError):  # a board that is being closed
            self._loop.call(lambda: self._lost(access_point, reason))

    def will_lose(self, access_point: AccessPoint) -> None:
        self._loop.post(lambda: self._lost(access_point))

    def _lost(self, access_point: AccessPoint, reason: int = REASON_BEACON_TIMEOUT) -> None:
        if self.joined is access_point:
            self._leave_silently()
            self.reason = reason
            self._retry()

    def signal_changes(self, access_point: AccessPoint) -> None:
        """From any thread: the access point fades."""
        self._loop.post(lambda: self._watch(access_point))

    # Looks now and then whether a fading access point is still heard.
    def _watch(self, point: AccessPoint) -> None:
        if self.joined is not point:
            return
        if not point.signal.is_heard:
            self._lost(point)
        elif point.signal.is_fading:
            self._clock.later(_LOOK_S, lambda: self._watch(point))

    def use_static(self, address: tuple[str, str, str, str] | None) -> None:
        """Take an address of one's own (or, with None, one from DHCP again)."""
        self.static = address
        point = self.joined
        if point is not None:
            if address is not None:
                self._cancel()
                self._up(point, Lease(*address))
            else:
                self._discover(point)

    @property
    def has_dhcp_running(self) -> bool:
        """True while a DHCP client is at work, so that starting one is refused."""
        return self.joined is not None and self.static is None

    # -- helpers of the above

    def _require_active(self) -> None:
        if not self.is_active:
            raise Refusal("OSError", "Wifi Not Started")

    def _after(self, delay_s: float, function: Callable[[], None]) -> None:
        self._cancel()
        self._step = self._clock.later(delay_s, function)

    def _cancel(self) -> None:
        if self._step is not None:
            self._step.cancel()
            self._step = None

    def _leave_silently(self) -> None:
        self._cancel()
        self._is_trying = False
        if self.joined is not None:
            self.air.trace_event(self.name, "leave", ssid=self.joined.ssid)
            self.joined.stations.remove(self)
            self.joined = None
        self.is_connected = False
        self._drop_address()

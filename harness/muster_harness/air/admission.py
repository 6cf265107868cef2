# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An access point's door: what its security asks for, and whom a script has it refuse."""

import hashlib
import hmac
from dataclasses import dataclass

from muster_harness.errors import AirError

OPEN = 0
WEP = 1
WPA = 2
WPA2 = 3
WPA_WPA2 = 4
WPA3 = 6
WPA2_WPA3 = 7
_PERSONAL = (WPA2, WPA_WPA2, WPA3, WPA2_WPA3)
_SECURITIES = range(17)  # wifi_auth_mode_t

# Driver's reasons (esp_wifi_types_generic.h) that an access point may be told to give
REASON_AUTH_EXPIRE = 2
REASON_4WAY_HANDSHAKE_TIMEOUT = 15
REASON_BEACON_TIMEOUT = 200
REASON_NO_AP_FOUND = 201
REASON_AUTH_FAIL = 202
REASON_ASSOC_FAIL = 203
REASON_HANDSHAKE_TIMEOUT = 204
REASON_CONNECTION_FAIL = 205
REASON_NO_COMPATIBLE_SECURITY = 210
REASON_BELOW_AUTHMODE_THRESHOLD = 211
_KEY_IN_HEX = 64


@dataclass
class _Order:
    """A script's order to refuse; `left` is how many attempts more, None is without end."""

    reason: int
    left: int | None
    board: str | None


class Admission:
    """The judgement of one access point about each station that wants to join it."""

    def __init__(
        self, security: int, password: str | None, wrong_password_reason: int, requires_pmf: bool
    ):
        self.security = checked_security(security)
        self.password = password
        self.wrong_password_reason = checked_reason(wrong_password_reason)
        self.requires_pmf = requires_pmf
        self._always: int | None = None
        self._orders: list[_Order] = []

    @property
    def refuses_with(self) -> int | None:
        """The driver's reason that everyone gets who tries to join, None for nobody."""
        return self._always

    @refuses_with.setter
    def refuses_with(self, reason: int | None) -> None:
        """Raises AirError for what is no reason of the driver."""
        self._always = None if reason is None else checked_reason(reason)

    def refuse(self, reason: int, times: int | None, board: str | None) -> None:
        """Refuse so many attempts, of everyone or of one board. Raises AirError for a reason
        outside 1 to 255, or for fewer than one attempt."""
        if times is not None and (not isinstance(times, int) or times < 1):
            raise AirError(f"`times` is how many attempts are refused, 1 or more, not {times!r}")
        self._orders.append(_Order(checked_reason(reason), times, board))

    def forgive(self) -> None:
        """Take every order to refuse back."""
        self._always = None
        self._orders.clear()

    def mismatch(self, ssid: bytes, key: bytes, lacks: frozenset[str] = frozenset()) -> int | None:
        """Tell why a scan passes the access point over, as a driver's reason; None if it does not.

        `lacks` names what the station's driver cannot do: "pmf", "wpa3". With a key of 8 bytes or
        more the driver asks for WPA2 at least (esp_wifi_types_generic.h, wifi_scan_threshold_t).
        """
        if not key:
            return None if self.security == OPEN else REASON_NO_COMPATIBLE_SECURITY
        if self.security in (OPEN, WEP, WPA):
            return REASON_BELOW_AUTHMODE_THRESHOLD
        if self.security not in _PERSONAL:
            return REASON_NO_COMPATIBLE_SECURITY
        if self.security == WPA3 and lacks & {"pmf", "wpa3"}:
            return REASON_NO_COMPATIBLE_SECURITY
        if self.requires_pmf and "pmf" in lacks:
            return REASON_NO_COMPATIBLE_SECURITY
        return None

    def refusal(self, ssid: bytes, key: bytes, station: str, is_full: bool) -> int | None:
        """Judge one attempt to associate: None is welcome, else the driver's reason. Each call
        counts as an attempt."""
        for order in self._orders:
            if order.board in (None, station) and order.left != 0:
                if order.left is not None:
                    order.left -= 1
                return order.reason
        if self._always is not None:
            return self._always
        if self.security != OPEN and not hmac.compare_digest(self._key_like(ssid, key), key):
            return self.wrong_password_reason
        return REASON_ASSOC_FAIL if is_full else None

    def why(self, reason: int, stations: int) -> str:
        """Put a refusal into words, with what to try; `stations` is how many are joined."""
        if self._always is not None or any(order.reason == reason for order in self._orders):
            return "the test lets it refuse (refuses_with, refuse)"
        return {
            REASON_BELOW_AUTHMODE_THRESHOLD: "it is open, and a password was given; join without",
            REASON_NO_COMPATIBLE_SECURITY: "it wants a password, and none was given",
            self.wrong_password_reason: "the password is another",
        }.get(reason, f"it has no room beside {stations} stations")

    def _key_like(self, ssid: bytes, key: bytes) -> bytes:
        password = (self.password or "").encode()
        # The key itself in hex instead of a passphrase (IEEE 802.11i, H.4); WPA3 has no such key.
        if len(key) == _KEY_IN_HEX and self.security != WPA3:
            return hashlib.pbkdf2_hmac("sha1", password, ssid, 4096, 32).hex().encode()
        return password


def checked_reason(reason: int) -> int:
    """Return a reason of the driver. Raises AirError for anything but 1 to 255."""
    if not isinstance(reason, int) or isinstance(reason, bool) or not 1 <= reason <= 255:
        raise AirError(
            f"a driver's reason is a number from 1 to 255, e.g. 15 or 202, not {reason!r}; "
            "ESP-IDF lists them in esp_wifi_types_generic.h"
        )
    return reason


def checked_security(security: int) -> int:
    """Return a kind of security, e.g. 3 for WPA2. Raises AirError for anything but 0 to 16."""
    if not isinstance(security, int) or security not in _SECURITIES:
        raise AirError(
            f"a security is a number from 0 to 16, as network.WLAN.SEC_… has them, e.g. 3 for "
            f"WPA2 or 6 for WPA3, not {security!r}"
        )
    return security

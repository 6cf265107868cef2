# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A Wi-Fi driver's rules, by the version of ESP-IDF and by how it was built."""

from collections.abc import Iterable
from dataclasses import dataclass

from muster_harness.errors import HarnessError

# MicroPython 1.26 is built with ESP-IDF 5.4.2; 1.27 and 1.28 with 5.5.1, 1.29 with 5.5.2.
_VERSIONS = ("5.4", "5.5")
_ABILITIES = ("channels_12_13", "pmf", "wpa3")
# The default country, "01", has 11 channels; those above are only listened to, so that who hides
# there is never found (esp_wifi.h, esp_wifi_set_country). The port has no other: what
# network.country() is given, nothing reads.
_LAST_ACTIVE = 11


@dataclass(frozen=True)
class DriverRules:
    """`refuses_settings_while_connecting`: esp_wifi_set_config fails with ESP_ERR_WIFI_STATE.
    `lacks` names what the driver was built without: "channels_12_13", "pmf", "wpa3"."""

    refuses_settings_while_connecting: bool
    lacks: frozenset[str]

    def tunes_to(self, channel: int) -> bool:
        """Tell whether a scan comes to a channel."""
        return channel <= _LAST_ACTIVE or "channels_12_13" not in self.lacks

    def finds(self, channel: int, is_hidden: bool) -> bool:
        """Tell whether an access point on a channel can be found by its name."""
        return self.tunes_to(channel) and (channel <= _LAST_ACTIVE or not is_hidden)


def driver_rules(idf: str, lacks: Iterable[str] = ()) -> DriverRules:
    """The rules of a version of ESP-IDF, e.g. "5.5".

    Raises HarnessError for a version or an ability that is not known here.
    """
    if idf not in _VERSIONS:
        raise HarnessError(f"ESP-IDF is {' or '.join(_VERSIONS)} here, not {idf!r}")
    unknown = set(lacks) - set(_ABILITIES)
    if unknown:
        raise HarnessError(f"a driver can lack {', '.join(_ABILITIES)}, not {sorted(unknown)}")
    return DriverRules(idf != "5.4", frozenset(lacks))

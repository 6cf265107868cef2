# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes configurations, and remembers which profiles make valid ones.

Devices of one profile differ in a few values alone. So of a document that has made a valid
configuration no more than those are looked at; whatever is not plainly right there is checked as a
whole, and so is the document of a profile that was changed, which is another object.
"""

from typing import Any

from muster_server.api import bounds
from muster_server.config_server.profile import Particulars, check_made, unchecked_configuration
from muster_server.document import compact_json

_MOST = 256

_Key = tuple[int, bool, str]


class CheckedProfiles:
    """Remembers documents of profiles, which nobody changes."""

    def __init__(self) -> None:
        # Each is kept, so that no other object has its identity.
        self._valid: dict[_Key, dict[str, Any]] = {}

    def build(self, profile: dict[str, Any], own: Particulars) -> dict[str, Any]:
        """The configuration of one device; Invalid names the field of the profile that is wrong.

        Neither is to be changed: they have parts in common.
        """
        configuration = unchecked_configuration(profile, own)
        key = (id(profile), own.token is not None, own.server_url)
        if self._valid.get(key) is profile and _is_plain(own) and _fits(configuration):
            return configuration
        check_made(profile, configuration)
        if len(self._valid) >= _MOST:
            self._valid.clear()
        self._valid[key] = profile
        return configuration


def _is_plain(own: Particulars) -> bool:
    """Tell whether the values of the device are plainly right, whatever the profile is."""
    token = "0" if own.token is None else own.token
    return (
        0 < own.version <= bounds.HIGHEST
        and own.originator.startswith("C")
        and _is_within(own.originator, bounds.ORIGINATOR)
        and _is_within(token, bounds.TOKEN)
        and _is_within(own.device_name, bounds.DEVICE_NAME)
        and len(own.server_key) == len(own.adoption) == bounds.KEY_BYTES
    )


def _is_within(text: str, limits: tuple[int, int]) -> bool:
    return text.isascii() and limits[0] <= len(text) <= limits[1]


def _fits(configuration: dict[str, Any]) -> bool:
    size = len(compact_json(configuration).encode("utf-8", "surrogatepass"))
    return size <= bounds.CONFIGURATION_BYTES

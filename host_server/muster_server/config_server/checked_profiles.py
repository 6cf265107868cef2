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
_LONGEST_NUMBER = len(str(bounds.HIGHEST))
_LONGEST_ESCAPE = 6  # of a character in JSON, e.g. \u0007

_Key = tuple[int, bool, str]


class CheckedProfiles:
    """Remembers documents of profiles, which nobody changes."""

    def __init__(self) -> None:
        # Each is kept, so that no other object has its identity; with the room that is left in its
        # configurations by all that is the same in them.
        self._valid: dict[_Key, tuple[dict[str, Any], int]] = {}

    def build(self, profile: dict[str, Any], own: Particulars) -> dict[str, Any]:
        """The configuration of one device; Invalid names the field of the profile that is wrong.

        Neither is to be changed: they have parts in common.
        """
        configuration = unchecked_configuration(profile, own)
        key = _key(profile, own)
        known, room = self._valid.get(key, (None, 0))
        if known is profile and _is_plain(own) and _fits(configuration, own, room):
            return configuration
        check_made(profile, configuration)
        if len(self._valid) >= _MOST:
            self._valid.clear()
        self._valid[key] = profile, _room(configuration, own)
        return configuration

    def check(self, profile: dict[str, Any], own: Particulars) -> None:
        """Raise Invalid as `build` does, which need not be called for what is plainly right."""
        known, room = self._valid.get(_key(profile, own), (None, 0))
        if known is not profile or not _is_plain(own) or _most(own) > room:
            self.build(profile, own)


def _key(profile: dict[str, Any], own: Particulars) -> _Key:
    return id(profile), own.token is not None, own.server_url


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


def _fits(configuration: dict[str, Any], own: Particulars, room: int) -> bool:
    return _most(own) <= room or _size(configuration) <= bounds.CONFIGURATION_BYTES


def _most(own: Particulars) -> int:
    """The most bytes that the device's own values take, which are ASCII, for one that is none is
    no plain one; its keys have the same length always.
    """
    characters = len(own.originator) + len(own.token or "") + len(own.device_name)
    return _LONGEST_NUMBER + _LONGEST_ESCAPE * characters


def _room(configuration: dict[str, Any], own: Particulars) -> int:
    """The bytes that are left for the device's own values."""
    # They count with one byte for each character here, which is the least: the room is rather
    # smaller than it is.
    least = len(own.originator) + len(own.token or "") + len(own.device_name)
    return bounds.CONFIGURATION_BYTES - (_size(configuration) - least)


def _size(configuration: dict[str, Any]) -> int:
    return len(compact_json(configuration).encode("utf-8", "surrogatepass"))

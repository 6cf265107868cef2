# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changing the password of a Wi-Fi network that devices are on, without losing one.

First the profile gets the network twice, with the old password and with the new one: devices try
one after the other. When all of them have both, the access points can change. The end leaves one.
"""

from collections.abc import Callable
from typing import Any

from muster_server import ssids
from muster_server.config_server.profile_history import existing_profile
from muster_server.config_server.profiles import (
    ProfileService,
    check_is_at_rest,
    end_older_changes,
)
from muster_server.errors import Conflict, NotFound
from muster_server.store.config import ConfigStore

Network = dict[str, Any]


class PasswordChange:
    """Rules for that change. Knows neither HTTP nor SQL."""

    def __init__(
        self, store: ConfigStore, profiles: ProfileService, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._profiles = profiles
        self._clock = clock

    def shown(self, name: str, owner: str) -> dict[str, Any]:
        """Return the networks whose passwords are changing, and how many devices have not both
        yet. Raises NotFound.
        """
        with self._store.reading() as records:
            document = existing_profile(records, name)
            runners = records.profiles.runners(name, owner)
            behind = sum(runners.values()) - runners.get(records.profiles.effect(name), 0)
        names = [ssids.name_of(network) for network in document["networks"]]
        changing = sorted({ssid for ssid in names if names.count(ssid) > 1})
        return {"name": name, "changing": changing, "behind": behind}

    def begin(self, name: str, ssid: str, psk: str, *, is_draft: bool) -> dict[str, Any]:
        """Add the new password beside the old one, in force or as a draft that is rolled out.

        Raises NotFound (profile, network), Conflict (it is changing, or there are too many
        networks), or Invalid for what can be no password.
        """
        with self._store.reading() as records:
            document = existing_profile(records, name)
        networks = document["networks"]
        same = [network for network in networks if ssids.name_of(network) == ssid]
        if not same:
            raise NotFound("there is no such network in these settings")
        if len(same) > 1:
            raise Conflict("the password of this network is changing already")
        at = networks.index(same[0]) + 1
        added = [*networks[:at], {**same[0], "psk": psk}, *networks[at:]]
        return self._kept(name, document, added, is_draft=is_draft)

    def end(
        self, name: str, owner: str, ssid: str, *, keeps_new: bool, is_confirmed: bool
    ) -> dict[str, Any]:
        """Leave the new password alone, or the old one.

        Raises NotFound (profile, network), or Conflict: it is not changing, or devices have not
        the new one, unless `is_confirmed`.
        """
        with self._store.reading() as records:
            document = existing_profile(records, name)
        networks = document["networks"]
        same = [n for n, network in enumerate(networks) if ssids.name_of(network) == ssid]
        if not same:
            raise NotFound("there is no such network in these settings")
        if len(same) < 2:
            raise Conflict("the password of this network is not changing")
        if keeps_new and not is_confirmed:
            behind = self.shown(name, owner)["behind"]
            if behind:
                raise Conflict(
                    f"{behind} of your devices have not got the new password yet: they would be "
                    "lost; confirm that, or wait for them"
                )
        dropped = same[0] if keeps_new else same[-1]
        left = [network for n, network in enumerate(networks) if n != dropped]
        return self._kept(name, document, left, is_draft=False)

    def _kept(
        self, name: str, former: dict[str, Any], networks: list[Network], *, is_draft: bool
    ) -> dict[str, Any]:
        document = self._profiles.checked({**former, "networks": networks}, name)
        with self._store.transaction() as records:
            check_is_at_rest(records, name)
            if records.profile(name) != former:
                raise Conflict("somebody has changed these settings meanwhile; try again")
            now = self._clock()
            if is_draft:
                return {"name": name, "number": records.profiles.add(name, document, now)}
            number = records.profiles.put(name, document, now)
            end_older_changes(records, name, now)
        return {"name": name, "number": number}

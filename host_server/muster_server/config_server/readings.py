# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Readings of a device, for its owner, with an account that may only read."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from muster_server.config_server.device_view import existing
from muster_server.config_server.instances import (
    CONTAINER,
    NotAllowed,
    Place,
    Reading,
    TokenRefused,
    authority_file,
    readings_at,
)
from muster_server.config_server.platform_adapter import Platforms
from muster_server.config_server.readers import ReaderService, policy_for
from muster_server.errors import Conflict
from muster_server.store.claims import Claim, Version
from muster_server.store.config import ConfigStore, Records


class ReadingService:
    """Reads at the platform that the device was told of. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        platforms: Platforms,
        readers: ReaderService,
        read: Callable[[Place], list[Reading]] = readings_at,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._readers = readers
        self._read = read

    def of(self, device_id: str, owner: str, after: str | None, limit: int) -> dict[str, Any]:
        """The newest readings, at most `limit`, the oldest first; with `after`, only those that
        came after the one of this id. `is_gap`: there may be some between that nobody can see any
        more.

        Conflict if the device was never told of a platform; ServiceUnreachable if that does not
        tell.
        """
        with self._store.reading() as records:
            claim = existing(records, device_id, owner)
            version = _told(records, claim)
        if version is None:
            raise Conflict(f"{claim.device_id} was not given a configuration yet")
        platform = version.document["platform"]
        path = f"/{platform['cse']}/{platform['originator']}/{CONTAINER}"
        if version.token_id is not None:
            found = self._own(owner, platform["originator"], path)
        else:
            found = self._foreign(platform, path)
        found, is_gap = _after(found, after)
        return {
            "device_id": claim.device_id,
            "platform": platform["url"],
            "container": path,
            "readings": [asdict(reading) for reading in found[-limit:]],
            "is_gap": is_gap or (after is not None and len(found) > limit),
        }

    def _own(self, owner: str, originator: str, path: str) -> list[Reading]:
        """At the platform that this server keeps accounts at: with a reader's token."""
        try:
            return self._read(self._readers.place(owner, path))
        except TokenRefused:
            self._readers.forget_own(owner)  # somebody has closed it: another one is made
        except NotAllowed:
            # It was registered before there were readers, or its naming is still to be done.
            self._platforms.home().name_in_policy(policy_for(owner), [originator])
        return self._read(self._readers.place(owner, path))

    def _foreign(self, platform: dict[str, Any], path: str) -> list[Reading]:
        """At somebody else's platform there is no account but the device's own that may read it;
        nothing but this retrieval is ever asked under it.
        """
        with authority_file(platform.get("ca")) as ca_file:
            return self._read(
                Place(
                    url=platform["url"],
                    path=path,
                    originator=platform["originator"],
                    release=platform["rvi"],
                    token=platform["token"],
                    ca_file=ca_file,
                )
            )


def _told(records: Records, claim: Claim) -> Version | None:
    """The version that the device runs, or else the newest that it may have been given."""
    versions = records.versions_of(claim.id)
    carried = {b.version for b in records.bundles.of(claim.id) if b.handed_out_at is not None}
    given = [v for v in versions if v.handed_out_at is not None or v.number in carried]
    proved = [v for v in versions if v.number == claim.version]
    return proved[0] if proved else given[-1] if given else None


def _after(found: list[Reading], after: str | None) -> tuple[list[Reading], bool]:
    if after is None:
        return found, False
    ids = [reading.id for reading in found]
    if after in ids:
        return found[ids.index(after) + 1 :], False
    return found, True

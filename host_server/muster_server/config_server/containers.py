# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Containers of a device at the platform that it was told of, and under which account they are
asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from muster_server.config_server.device_view import existing
from muster_server.config_server.instances import (
    NotAllowed,
    Place,
    TokenRefused,
    authority_file,
)
from muster_server.config_server.platform_adapter import Platforms
from muster_server.config_server.readers import ReaderService, policy_for
from muster_server.errors import Conflict
from muster_server.store.claims import Claim, Version
from muster_server.store.config import ConfigStore, Records

T = TypeVar("T")


@dataclass(frozen=True)
class Container:
    """A container of an owner's device, by its name below the device's AE."""

    device_id: str
    owner: str
    path: str  # e.g. "/cse-in/Cmuster5f0c…/data"
    platform: dict[str, Any] = field(repr=False)  # of the configuration: it holds a token
    is_at_home: bool  # at the platform at which this server keeps accounts


class Containers:
    """Rules for who asks. Knows neither HTTP nor SQL."""

    def __init__(self, store: ConfigStore, platforms: Platforms, readers: ReaderService) -> None:
        self._store = store
        self._platforms = platforms
        self._readers = readers

    def of(self, device_id: str, owner: str, name: str) -> Container:
        """The device's container of this name.

        NotFound if it is no device of this owner's; Conflict if it was never told of a platform.
        """
        with self._store.reading() as records:
            claim = existing(records, device_id, owner)
            version = _told(records, claim)
        if version is None:
            raise Conflict(f"{claim.device_id} was not given a configuration yet")
        platform = version.document["platform"]
        path = f"/{platform['cse']}/{platform['originator']}/{name}"
        return Container(claim.device_id, owner, path, platform, version.token_id is not None)

    def asked(self, container: Container, kind: str, do: Callable[[Place], T]) -> T:
        """Do this under the owner's account of this kind, and return what it returns.

        ServiceUnreachable if the platform refuses.
        """
        if not container.is_at_home:
            return self._foreign(container, do)
        owner = container.owner
        try:
            return do(self._readers.place(owner, container.path, kind))
        except TokenRefused:
            self._readers.forget_own(owner, kind)  # somebody has closed it: another one is made
        except NotAllowed:
            # It was registered before there were readers, or its naming is still to be done.
            originator = container.platform["originator"]
            self._platforms.home().name_in_policy(policy_for(owner), [originator])
        return do(self._readers.place(owner, container.path, kind))

    def _foreign(self, container: Container, do: Callable[[Place], T]) -> T:
        """At somebody else's platform there is no account but the device's own that may do it;
        nothing but its readings and commands is ever asked for under it.
        """
        platform = container.platform
        with authority_file(platform.get("ca")) as ca_file:
            return do(
                Place(
                    url=platform["url"],
                    path=container.path,
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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Keeps profiles, and shows them without their secrets."""

from collections.abc import Callable
from typing import Any

from muster_server.config_server import device_changes
from muster_server.config_server.profile import DEFAULT_CSE, checked_profile, shown_profile
from muster_server.document import Fields, wrong
from muster_server.errors import Conflict, NotFound
from muster_server.store.config import ConfigStore, Records

_MOST_NAMED = 5


class ProfileService:
    """Rules for profiles. `has_accounts` says whether a platform gives its devices tokens."""

    def __init__(
        self,
        store: ConfigStore,
        has_accounts: Callable[[str], bool],
        server_url: str,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._has_accounts = has_accounts
        self._server_url = server_url
        self._clock = clock

    def add(self, value: object) -> dict[str, Any]:
        """Keep a new profile; Conflict if the name is taken, Invalid if a field is wrong."""
        return self._put(value, None)

    def replace(self, name: str, value: object) -> dict[str, Any]:
        """Keep the profile under this name, in place of an earlier one. Devices that use it get a
        new version at their next sync. Passwords that it leaves out stay as they are.
        """
        return self._put(value, name)

    def names(self) -> list[str]:
        """All names in order."""
        with self._store.reading() as records:
            return records.profiles.names()

    def shown(self, name: str) -> dict[str, Any]:
        """Return the profile without its secrets. Raises NotFound if there is none."""
        with self._store.reading() as records:
            document = records.profile(name)
        if document is None:
            raise NotFound(f'there is no profile named "{name}"')
        return shown_profile(document)

    def remove(self, name: str) -> None:
        """Forget the profile and its secrets.

        Raises NotFound if there is none of this name, Conflict while devices are configured from
        it.
        """
        with self._store.reading() as records:  # beside those who write: they may be a million
            users = records.profiles.users_of(name)
        with self._store.transaction() as records:
            if records.profile(name) is None:
                raise NotFound(f'there is no profile named "{name}"')
            check_is_at_rest(records, name)
            users = users or records.profiles.users_of(name, _MOST_NAMED + 1)
            if users:
                some = ", ".join(users[:_MOST_NAMED]) + (", …" if users[_MOST_NAMED:] else "")
                raise Conflict(
                    f'the profile "{name}" is in use, by {len(users)} of your devices ({some}); '
                    "register them with another one, or release them, first"
                )
            records.profiles.remove(name)

    def _put(self, value: object, name: str | None) -> dict[str, Any]:
        document = self.checked(value, name)
        with self._store.transaction() as records:
            if name is None and records.profile(document["name"]) is not None:
                raise Conflict(
                    f'there is a profile named "{document["name"]}" already; '
                    "give this one another name, or replace that one"
                )
            check_is_at_rest(records, document["name"])
            records.profiles.put(document["name"], document, self._clock())
            end_older_changes(records, document["name"], self._clock())
        return shown_profile(document)

    def checked(self, value: object, name: str | None) -> dict[str, Any]:
        """The document with its defaults, and the passwords that the profile of this name has.

        Raises Invalid with the field that is wrong.
        """
        if name is not None and isinstance(value, dict):
            value = {"name": name, **value}
        kept: list[dict[str, Any]] = []
        if name is not None:
            with self._store.reading() as records:
                kept = (records.profile(name) or {}).get("networks", [])
        platform = Fields(value).fields("platform")
        document = checked_profile(
            value,
            has_accounts=self._has_accounts(platform.text("url", 1)),
            server_url=self._server_url,
            kept=kept,
        )
        _check_cse(document["platform"], is_home=self._has_accounts(document["platform"]["url"]))
        if name is not None and document["name"] != name:
            raise wrong("name", f'wanted "{name}", as in the address')
        return document


def end_older_changes(records: Records, name: str, now: float) -> None:
    """End what was changed at platforms and is older than the version now in force."""
    for claim_id in records.changes.claims_with(name):
        claim = records.claim(claim_id)
        if claim is not None:
            device_changes.end_replaced(records, claim, now)


def check_is_at_rest(records: Records, name: str) -> None:
    """Conflict while a version of the profile is rolled out."""
    if records.rollouts.active_of(name) is not None:
        raise Conflict(
            f'a version of the profile "{name}" is being rolled out; end or abort that first'
        )


def _check_cse(platform: dict[str, Any], *, is_home: bool) -> None:
    # That platform answers strangers alike, whatever they ask for: nobody else can say it.
    if is_home and platform["cse"] != DEFAULT_CSE:
        raise wrong("platform.cse", f'the CSE of this platform is "{DEFAULT_CSE}"')

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Versions of profiles: what differs between two, what a device would get, and who runs which."""

from collections.abc import Callable, Iterator
from typing import Any

from muster_server.config_server.device_view import existing
from muster_server.config_server.profiles import (
    ProfileService,
    check_is_at_rest,
    end_older_changes,
)
from muster_server.config_server.versions import Versions
from muster_server.errors import NotFound
from muster_server.store.config import ConfigStore, Records

HIDDEN = "hidden"
# Of a configuration, what nobody reads here.
_HIDDEN = {"psk", "token", "key", "adoption"}
# Of a profile, a secret and what says nothing to a reader.
_ONLY_CHANGED = {"psk", "ca"}
_NOTHING = object()  # in place of a field that is not there


class ProfileHistory:
    """Rules for versions of profiles. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        profiles: ProfileService,
        versions: Versions,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._profiles = profiles
        self._versions = versions
        self._clock = clock

    def listed(self, name: str, owner: str) -> dict[str, Any]:
        """All versions, the newest first, with how many of the owner's devices run each. NotFound.

        `behind` are the devices that do not run the one in force, or have proved none yet.
        """
        with self._store.reading() as records:
            existing_profile(records, name)
            versions = records.profiles.versions(name)
            current, effect = records.profiles.current(name), records.profiles.effect(name)
            runners = records.profiles.runners(name, owner)
            active = records.rollouts.active_of(name)
        shown = [
            {
                "number": version.number,
                "made_at": version.made_at,
                "is_current": version.number == current,
                "same_as": version.effect if version.effect != version.number else None,
                "devices": runners.get(version.number, 0),
            }
            for version in versions
        ]
        total = sum(runners.values())
        return {
            "name": name,
            "current": current,
            "versions": shown,
            "devices": total,
            "behind": total - runners.get(effect, 0),
            "rollout": active.id if active is not None else None,
        }

    def difference(self, name: str, old: int, new: int) -> dict[str, Any]:
        """Return what differs between two versions; of a secret, that it differs. NotFound."""
        with self._store.reading() as records:
            before, after = (dict(_leaves(version_of(records, name, n))) for n in (old, new))
        changes = [
            _change(path, before.get(path), after.get(path))
            for path in dict.fromkeys([*before, *after])
            if before.get(path, _NOTHING) != after.get(path, _NOTHING)
        ]
        return {"name": name, "old": old, "new": new, "changes": changes}

    def preview(self, name: str, number: int, device_id: str, owner: str) -> dict[str, Any]:
        """Return the configuration that the owner's device would get, without its secrets.

        Raises NotFound, or Invalid if no configuration can be made of it.
        """
        with self._store.reading() as records:
            claim = existing(records, device_id, owner)
            made = self._versions.preview(records, claim, version_of(records, name, number))
        return {"name": name, "number": number, "device_id": device_id, "config": _masked(made)}

    def draft(self, name: str, value: object) -> dict[str, Any]:
        """Keep a version that is not in force. Raises NotFound, Invalid for a wrong field."""
        document = self._profiles.checked(value, name)
        with self._store.transaction() as records:
            existing_profile(records, name)
            number = records.profiles.add(name, document, self._clock())
        return {"name": name, "number": number}

    def use(self, name: str, number: int) -> dict[str, Any]:
        """Put a version in force for all devices.

        Raises NotFound, or Conflict while one is rolled out.
        """
        with self._store.transaction() as records:
            version_of(records, name, number)
            check_is_at_rest(records, name)
            records.profiles.use(name, number, self._clock())
            end_older_changes(records, name, self._clock())
        return {"name": name, "number": number}


def existing_profile(records: Records, name: str) -> dict[str, Any]:
    """The profile that is in force. Raises NotFound."""
    document = records.profile(name)
    if document is None:
        raise NotFound(f'there is no profile named "{name}"')
    return document


def version_of(records: Records, name: str, number: int) -> dict[str, Any]:
    """A version of a profile. Raises NotFound."""
    existing_profile(records, name)
    document = records.profiles.document(name, number)
    if document is None:
        raise NotFound(f'the profile "{name}" has no version {number}, or not any more')
    return document


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All values with their paths, e.g. ("networks[0].ssid", "factory")."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{n}]")
    else:
        yield path, value


def _change(path: str, before: Any, after: Any) -> dict[str, Any]:
    is_hidden = path.rpartition(".")[2] in _ONLY_CHANGED
    if is_hidden:
        before, after = None, None
    return {"path": path, "is_hidden": is_hidden, "before": before, "after": after}


def _masked(value: Any, name: str = "") -> Any:
    if name in _HIDDEN and value is not None:
        return HIDDEN
    if isinstance(value, dict):
        # What the application is told is shown as it is in the profile, whatever its names are.
        return {n: inner if n == "app" else _masked(inner, n) for n, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value

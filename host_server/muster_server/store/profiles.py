# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Profiles and their versions; a part of the configuration server's records.

A profile that nobody has changed has version 1 alone, which is its document.
"""

from dataclasses import dataclass, field
from typing import Any

from muster_server.document import compact_json
from muster_server.store.claims import ENDED
from muster_server.store.opened import OpenedDocuments
from muster_server.store.rollouts import NUMBER_FOR
from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Row, Sql, insertion, replacement

_ALL = 2**31 - 1  # however many there are
KEPT = 50  # versions of a profile, besides the one in force
# What of a profile reaches no device.
_WITHOUT_EFFECT = ("app_schema", "reonboarding")
_REMOVED = b""  # in place of a profile's document

_PUT = replacement("profile", ("name", "document", "updated_at", "number"), "name")
_ADD = insertion("profile_version", ("name", "number", "document", "made_at", "effect"))
_ENDED = ", ".join(f"'{state}'" for state in ENDED)
# Of a profile that nobody has changed there is no row of a version.
_VERSION_IN_FORCE = (
    "FROM profile p LEFT JOIN profile_version v"
    " ON v.name = p.name AND v.number = COALESCE(p.number, 1) WHERE p.name = ?"
)
_IN_FORCE = f"SELECT p.document, p.number, v.effect {_VERSION_IN_FORCE}"
_FOR_CLAIM = f"SELECT p.document, p.number, v.effect, ({NUMBER_FOR}) {_VERSION_IN_FORCE}"


@dataclass(frozen=True)
class ProfileVersion:
    """A version of a profile, without its document."""

    number: int
    made_at: float
    effect: int


@dataclass(frozen=True)
class InForce:
    """The version of a profile that is in force, with its document, which is not to be changed."""

    document: dict[str, Any] | None = field(repr=False)  # None: the profile was removed
    number: int
    effect: int


class ProfileRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, box: SecretBox, opened: OpenedDocuments) -> None:
        self._sql = sql
        self._box = box
        self._opened = opened
        # Read in this transaction: a list needs the same for each of its devices.
        self._known: dict[tuple[str, int], dict[str, Any] | None] = {}
        self._in_force: dict[str, InForce | None] = {}

    def in_force(self, name: str) -> InForce | None:
        """Return what is in force; None if there never was such a profile."""
        if name not in self._in_force:
            self._in_force[name] = self._found(name, self._sql.row(_IN_FORCE, name))
        return self._in_force[name]

    def has_looked_at(self, name: str) -> bool:
        """Tell whether this transaction knows what is in force of this profile."""
        return name in self._in_force

    def look_for(self, claim_id: str, name: str) -> int | None:
        """Look what is in force of the profile of a claim; the version that a roll-out has
        brought to that claim, found with one question.
        """
        row = self._sql.row(_FOR_CLAIM, claim_id, name, name)
        self._in_force[name] = self._found(name, row)
        return None if row is None else row[3]

    def document(self, name: str, number: int | None = None) -> dict[str, Any] | None:
        """The profile's document with its secrets, as it is in force or of this version. It is
        not to be changed.
        """
        if number is None:
            found = self.in_force(name)
            return None if found is None else found.document
        place = (name, number)
        if place not in self._known:
            self._known[place] = self._read(name, number)
        return self._known[place]

    def names(self) -> list[str]:
        """All names in order."""
        text = "SELECT name FROM profile WHERE document != ? ORDER BY name"
        return [row[0] for row in self._sql.rows(text, _REMOVED)]

    def current(self, name: str) -> int:
        """The number of the version in force."""
        found = self.in_force(name)
        return 1 if found is None else found.number

    def effect(self, name: str, number: int | None = None) -> int:
        """The first of the versions that make the same as this one; None: as the one in force."""
        if number is None:
            found = self.in_force(name)
            return 1 if found is None else found.effect
        text = "SELECT effect FROM profile_version WHERE name = ? AND number = ?"
        return int(self._sql.value(text, name, number) or number)

    def versions(self, name: str) -> list[ProfileVersion]:
        """All versions that are kept, the newest first."""
        text = (
            "SELECT number, made_at, effect FROM profile_version WHERE name = ?"
            " ORDER BY number DESC"
        )
        found = [ProfileVersion(*row) for row in self._sql.rows(text, name)]
        if not found:
            at = self._sql.value("SELECT updated_at FROM profile WHERE name = ?", name)
            return [ProfileVersion(1, at, 1)]
        return found

    def put(self, name: str, document: dict[str, Any], now: float) -> int:
        """Put the document in force as a new version, unless it is there already; its number."""
        if self.document(name) == document:
            return self.current(name)
        number = self.add(name, document, now)
        self.use(name, number, now)
        return number

    def add(self, name: str, document: dict[str, Any], now: float) -> int:
        """Keep the document as a new version, which is not in force; its number."""
        former = self.document(name)
        if former is None:
            return self._first(name, document, now)
        versions = self.versions(name)
        current = self.current(name)
        if len(versions) == 1 and versions[0].number == 1:
            self._keep_first(name, former, versions[0].made_at)
        number = versions[0].number + 1
        effect = next(
            (v.effect for v in versions if self._has_effect(name, v.number, document)), number
        )
        self._sql.run(_ADD, name, number, self._sealed(name, number, document), now, effect)
        self._sql.run(
            "DELETE FROM profile_version WHERE name = ? AND number <= ? AND number != ?",
            *(name, number - KEPT, current),
        )
        return number

    def _has_effect(self, name: str, number: int, document: dict[str, Any]) -> bool:
        former = self.document(name, number)
        return former is not None and _effective(former) == _effective(document)

    def use(self, name: str, number: int, now: float) -> None:
        """Put this version in force."""
        document = self.document(name, number)
        blob = self._box.seal(compact_json(document).encode(), "profile", "document", name)
        self._sql.run(_PUT, name, blob, now, number)
        self._forget()

    def remove(self, name: str) -> None:
        """Forget all versions. Claims that were released may still bear its name."""
        self._forget()
        self._sql.run("DELETE FROM profile_version WHERE name = ?", name)
        if self._sql.row("SELECT id FROM claim WHERE profile = ? LIMIT 1", name):
            text = "UPDATE profile SET document = ?, number = NULL WHERE name = ?"
            self._sql.run(text, _REMOVED, name)
        else:
            self._sql.run("DELETE FROM profile WHERE name = ?", name)

    def users_of(self, name: str, most: int = _ALL) -> list[str]:
        """The ids of devices whose claims, unless released, are configured from the profile; so
        many of them.
        """
        text = (
            f"SELECT DISTINCT device_id FROM claim WHERE profile = ? AND state NOT IN ({_ENDED})"  # noqa: S608
            " ORDER BY device_id LIMIT ?"
        )
        return [row[0] for row in self._sql.rows(text, name, most)]

    def runners(self, name: str, owner: str) -> dict[int | None, int]:
        """The number of the owner's devices that have proved each effect; None: nothing, or what
        an older release made.
        """
        text = (
            "SELECT runs, count(*) FROM claim WHERE profile = ? AND owner = ?"  # noqa: S608
            f" AND state NOT IN ({_ENDED}) GROUP BY runs"
        )
        return {row[0]: row[1] for row in self._sql.rows(text, name, owner)}

    def _first(self, name: str, document: dict[str, Any], now: float) -> int:
        blob = self._box.seal(compact_json(document).encode(), "profile", "document", name)
        self._sql.run(_PUT, name, blob, now, 1)
        self._forget()
        return 1

    def _keep_first(self, name: str, document: dict[str, Any], at: float) -> None:
        text = "SELECT number FROM profile_version WHERE name = ? AND number = 1"
        if self._sql.row(text, name) is None:
            self._sql.run(_ADD, name, 1, self._sealed(name, 1, document), at, 1)

    def _sealed(self, name: str, number: int, document: dict[str, Any]) -> bytes:
        place = f"{name}/{number}"
        text = compact_json(document).encode()
        return self._box.seal(text, "profile_version", "document", place)

    def _forget(self) -> None:
        self._known.clear()
        self._in_force.clear()

    def _read(self, name: str, number: int) -> dict[str, Any] | None:
        text = "SELECT document FROM profile_version WHERE name = ? AND number = ?"
        blob = self._sql.value(text, name, number)
        if blob:
            return self._opened.document("profile_version", f"{name}/{number}", blob)
        return self.document(name) if number == self.current(name) else None

    def _found(self, name: str, row: Row | None) -> InForce | None:
        if row is None:
            return None
        blob, number, effect = row[0], row[1], row[2]
        document = self._opened.document("profile", name, blob) if blob else None
        return InForce(document, number or 1, effect or number or 1)


def _effective(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _WITHOUT_EFFECT}

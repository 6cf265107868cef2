# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changes that were made at platforms, and what platforms were told; a part of the configuration
server's records.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from muster_server.document import compact_json
from muster_server.store.insertions import Insertion
from muster_server.store.rows import Row
from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Sql, replacement

# What may become of a change: it is to be tried, it runs, or it came to nothing.
WANTED, RUNS, REFUSED, FAILED, REPLACED = "wanted", "runs", "refused", "failed", "replaced"
IN_FORCE = (WANTED, RUNS)


@dataclass(frozen=True)
class Change:
    """The newest change of one field of a device's configuration that was made at its platform."""

    claim_id: str
    field: str  # "collection" or "wifi"
    # {"value", "base"}: the value, and a digest of what the profile said when it was taken
    document: dict[str, Any] = dataclasses.field(repr=False)
    at: float
    state: str
    version: int | None  # the first that has it
    detail: str  # why it came to nothing; no secret is in it


@dataclass(frozen=True)
class Told:
    """The objects of a device that a platform was told, under which originator of the device's."""

    url: str
    device_id: str
    claim_id: str
    originator: str = dataclasses.field(repr=False)
    kind: str  # "nodes" or "containers"
    # {"objects": {name: {"attributes", "mark"}}, "base": {field: digest}, "without": [name]}
    told: dict[str, Any] = dataclasses.field(repr=False)
    looked_at: float


_CHANGE = tuple(Change.__dataclass_fields__)
_TOLD = tuple(Told.__dataclass_fields__)
_PUT_CHANGE = replacement("device_change", _CHANGE, "claim_id", "field")
_KEY_OF_TOLD = ("url", "device_id")
_CHANGED_TOLD = ", ".join(
    f"{name} = excluded.{name}" for name in _TOLD if name not in _KEY_OF_TOLD
)
_PUT_TOLD = Insertion(
    "told_object", _TOLD, f"ON CONFLICT ({', '.join(_KEY_OF_TOLD)}) DO UPDATE SET {_CHANGED_TOLD}"
)
_CHANGES = f"SELECT {', '.join(_CHANGE)} FROM device_change WHERE claim_id = ? ORDER BY field"  # noqa: S608
_SOME_TOLD = f"SELECT {', '.join(_TOLD)} FROM told_object WHERE url = ?"  # noqa: S608


class DeviceChanges:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, box: SecretBox, known: dict[str, list[Change]]) -> None:
        """`known` are the changes of claims that the transaction takes to be in the database."""
        self._sql = sql
        self._box = box
        self._known = known

    def of(self, claim_id: str) -> list[Change]:
        """The newest change of each field."""
        if claim_id not in self._known:
            rows = self._sql.rows(_CHANGES, claim_id)
            self._known[claim_id] = [self._change(row) for row in rows]
        return list(self._known[claim_id])

    def put(self, change: Change) -> None:
        """Keep it in place of a former one of the field."""
        self._known.clear()
        row = {name: getattr(change, name) for name in _CHANGE}
        place = f"{change.claim_id}/{change.field}"
        text = compact_json(change.document).encode()
        row["document"] = self._box.seal(text, "device_change", "document", place)
        self._sql.run(_PUT_CHANGE, *row.values())

    def remove(self, claim_id: str, field: str) -> None:
        """Forget it."""
        self._known.clear()
        text = "DELETE FROM device_change WHERE claim_id = ? AND field = ?"
        self._sql.run(text, claim_id, field)

    def note_version(self, claim_id: str, number: int) -> None:
        """Remember that this version has what was wanted, and is the first that does."""
        self._known.clear()
        self._sql.run(
            "UPDATE device_change SET version = ?"
            " WHERE claim_id = ? AND state = ? AND version IS NULL",
            *(number, claim_id, WANTED),
        )

    def claims_with(self, profile: str) -> list[str]:
        """The ids of claims that are configured from the profile, and changed at a platform."""
        rows = self._sql.rows(
            "SELECT DISTINCT device_change.claim_id FROM device_change"
            " JOIN claim ON claim.id = device_change.claim_id WHERE claim.profile = ?",
            profile,
        )
        return [row[0] for row in rows]

    def told(self, url: str, device_id: str) -> Told | None:
        """Return what the platform at this URL was told of the device."""
        row = self._sql.row(f"{_SOME_TOLD} AND device_id = ?", url, device_id)
        return None if row is None else self._told(row)

    def put_told(self, *told: Told) -> None:
        """Keep it in place of what was told before; each of another device."""
        _PUT_TOLD.run(self._sql, [self._row_of(each) for each in told])

    def _row_of(self, told: Told) -> tuple[Any, ...]:
        place = f"{told.url}/{told.device_id}"
        text = compact_json(told.told).encode()
        sealed = self._box.seal(text, "told_object", "told", place)
        return tuple(sealed if name == "told" else getattr(told, name) for name in _TOLD)

    def forget_told(self, url: str, device_id: str) -> None:
        """Forget that the platform was told anything."""
        self._sql.run("DELETE FROM told_object WHERE url = ? AND device_id = ?", url, device_id)

    def platforms(self) -> list[str]:
        """The URLs of the platforms that were told something."""
        return [row[0] for row in self._sql.rows("SELECT DISTINCT url FROM told_object")]

    def longest_unseen(self, url: str, before: float, most: int) -> list[Told]:
        """Some of the devices whose objects there were not looked at since then."""
        text = f"{_SOME_TOLD} AND looked_at < ? ORDER BY looked_at LIMIT ?"
        return [self._told(row) for row in self._sql.rows(text, url, before, most)]

    def _change(self, row: Row) -> Change:
        place = f"{row['claim_id']}/{row['field']}"
        blob = self._box.open(row["document"], "device_change", "document", place)
        return Change(**{**dict(row), "document": json.loads(blob)})

    def _told(self, row: Row) -> Told:
        place = f"{row['url']}/{row['device_id']}"
        blob = self._box.open(row["told"], "told_object", "told", place)
        return Told(**{**dict(row), "told": json.loads(blob)})

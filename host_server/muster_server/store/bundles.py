# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bundles that were made for a claim; a part of the configuration server's records."""

from dataclasses import dataclass, field

from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Row, Sql, insertion, replacement

# Receipts of older ones are not told apart any more.
_KEPT = 16


@dataclass(frozen=True)
class Bundle:
    """One bundle, and how far it has come. `text` is None when a newer one is there."""

    claim_id: str
    version: int
    digest: bytes
    text: str | None = field(repr=False)
    made_at: float
    expires_at: int | None
    handed_out_at: float | None = None
    receipt_at: float | None = None
    outcome: str | None = None  # what the receipt said, e.g. "ok"
    seen_at: float | None = None  # when its device registered at the platform

    def is_expired(self, now: float) -> bool:
        """Tell whether a device that knows the time refuses the bundle."""
        return self.expires_at is not None and self.expires_at <= now


_COLUMNS = tuple(Bundle.__dataclass_fields__)
_LISTED = ", ".join(f"bundle.{name}" for name in _COLUMNS)
_OF_CLAIM = f"SELECT {_LISTED} FROM bundle WHERE claim_id = ? ORDER BY version"  # noqa: S608
_OF_OWNER = (
    f"SELECT {_LISTED} FROM bundle JOIN claim ON claim.id = bundle.claim_id"  # noqa: S608
    " WHERE claim.owner = ? AND claim.device_id != ? ORDER BY bundle.made_at DESC LIMIT ?"
)
_ADD = insertion("bundle", _COLUMNS)
_PUT = replacement("bundle", _COLUMNS, "claim_id", "version")
_DROP_OLD = (
    "DELETE FROM bundle WHERE claim_id = ? AND version <= (SELECT version FROM bundle"
    " WHERE claim_id = ? ORDER BY version DESC LIMIT 1 OFFSET ?)"
)


class BundleRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, box: SecretBox) -> None:
        self._sql = sql
        self._box = box

    def of(self, claim_id: str) -> list[Bundle]:
        """All that are remembered, the oldest first."""
        return [self._bundle(row) for row in self._sql.rows(_OF_CLAIM, claim_id)]

    def of_owner(self, owner: str, but: str, most: int) -> list[Bundle]:
        """The newest ones of this owner's devices but one, without their texts."""
        rows = self._sql.rows(_OF_OWNER, owner, but, most)
        return [Bundle(**{**dict(row), "text": None}) for row in rows]

    def add(self, bundle: Bundle) -> None:
        """Keep it; the texts of older ones go, and the oldest of too many."""
        self._sql.run("UPDATE bundle SET text = NULL WHERE claim_id = ?", bundle.claim_id)
        self._sql.run(_ADD, *self._row(bundle))
        self._sql.run(_DROP_OLD, bundle.claim_id, bundle.claim_id, _KEPT)

    def put(self, bundle: Bundle) -> None:
        """Keep one that is there as it is now."""
        self._sql.run(_PUT, *self._row(bundle))

    def _row(self, bundle: Bundle) -> list[object]:
        row = {name: getattr(bundle, name) for name in _COLUMNS}
        if bundle.text is not None:
            place = _place(bundle.claim_id, bundle.version)
            row["text"] = self._box.seal(bundle.text.encode(), "bundle", "text", place)
        return [*row.values()]

    def _bundle(self, row: Row) -> Bundle:
        text = row["text"]
        if text is not None:
            place = _place(row["claim_id"], row["version"])
            text = self._box.open(text, "bundle", "text", place).decode()
        return Bundle(**{**dict(row), "text": text})


def _place(claim_id: str, version: int) -> str:
    return f"{claim_id}/{version}"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bundles that were made for a claim; a part of the configuration server's records."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from muster_server.store.config_tables import bundles, claims
from muster_server.store.secrets import SecretBox

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


class BundleRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box

    def of(self, claim_id: str) -> list[Bundle]:
        """All that are remembered, the oldest first."""
        query = select(bundles).where(bundles.c.claim_id == claim_id).order_by(bundles.c.version)
        return [self._bundle(row) for row in self._connection.execute(query).mappings()]

    def of_owner(self, owner: str, but: str, most: int) -> list[Bundle]:
        """The newest ones of this owner's devices but one, without their texts."""
        query = select(bundles).join(claims, claims.c.id == bundles.c.claim_id)
        query = query.where(claims.c.owner == owner, claims.c.device_id != but)
        query = query.order_by(bundles.c.made_at.desc()).limit(most)
        rows = self._connection.execute(query).mappings()
        return [Bundle(**{**row, "text": None}) for row in rows]

    def add(self, bundle: Bundle) -> None:
        """Keep it; the texts of older ones go, and the oldest of too many."""
        same_claim = bundles.c.claim_id == bundle.claim_id
        self._connection.execute(update(bundles).where(same_claim).values(text=None))
        self._connection.execute(insert(bundles).values(self._row(bundle)))
        newest = select(bundles.c.version).where(same_claim).order_by(bundles.c.version.desc())
        old = same_claim & bundles.c.version.not_in(newest.limit(_KEPT))
        self._connection.execute(delete(bundles).where(old))

    def put(self, bundle: Bundle) -> None:
        """Keep one that is there as it is now."""
        same = (bundles.c.claim_id == bundle.claim_id) & (bundles.c.version == bundle.version)
        self._connection.execute(update(bundles).where(same).values(self._row(bundle)))

    def _row(self, bundle: Bundle) -> dict[str, Any]:
        row = {name: getattr(bundle, name) for name in Bundle.__dataclass_fields__}
        if bundle.text is not None:
            row["text"] = self._box.seal(bundle.text.encode(), "bundle", "text", _place(row))
        return row

    def _bundle(self, row: RowMapping) -> Bundle:
        text = row["text"]
        if text is not None:
            text = self._box.open(text, "bundle", "text", _place(row)).decode()
        return Bundle(**{**row, "text": text})


def _place(row: RowMapping | dict[str, Any]) -> str:
    return f"{row['claim_id']}/{row['version']}"

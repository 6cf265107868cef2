# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The newest contacts of each device; a part of the configuration server's records."""

from dataclasses import dataclass

from muster_server.store.sql import Sql, replacement


@dataclass(frozen=True)
class Contact:
    """A claim's device was heard. Of those that are believed, and of the others, the newest."""

    claim_id: str
    at: float
    address: str
    k: str  # whose key it was made with: "label", or the number of a version
    state: str  # what the device said of itself: "blank", "trial", "committed"
    # False: under a label whose window is closed. Whoever once had the device may have sent it.
    is_believed: bool
    next_at: float | None  # when it was told to come again, about


_COLUMNS = tuple(Contact.__dataclass_fields__)
_PUT = replacement("contact", _COLUMNS, "claim_id", "is_believed")
_OF_CLAIM = f"SELECT {', '.join(_COLUMNS)} FROM contact WHERE claim_id = ?"  # noqa: S608


class Contacts:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def put(self, contact: Contact) -> None:
        """Keep it in place of the former one of its kind."""
        self._sql.run(_PUT, *(getattr(contact, name) for name in _COLUMNS))

    def newest(self, claim_id: str) -> tuple[Contact | None, Contact | None]:
        """The newest that is believed, and the newest that is not; None where there was none."""
        kinds: dict[bool, Contact] = {}
        for row in self._sql.rows(_OF_CLAIM, claim_id):
            kind = bool(row["is_believed"])
            kinds[kind] = Contact(**{**dict(row), "is_believed": kind})
        return kinds.get(True), kinds.get(False)

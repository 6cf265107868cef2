# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The newest contacts of each device; a part of the configuration server's records."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from muster_server.store.config_tables import contacts


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


class Contacts:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, contact: Contact) -> None:
        """Keep it in place of the former one of its kind."""
        row = asdict(contact)
        is_same_kind = contacts.c.is_believed == contact.is_believed
        same = (contacts.c.claim_id == contact.claim_id) & is_same_kind
        if not self._connection.execute(update(contacts).where(same).values(row)).rowcount:
            self._connection.execute(insert(contacts).values(row))

    def newest(self, claim_id: str) -> tuple[Contact | None, Contact | None]:
        """The newest that is believed, and the newest that is not; None where there was none."""
        query = select(contacts).where(contacts.c.claim_id == claim_id)
        found = [Contact(**row) for row in self._connection.execute(query).mappings()]
        kinds = {contact.is_believed: contact for contact in found}
        return kinds.get(True), kinds.get(False)

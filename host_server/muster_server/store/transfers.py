# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Records of devices on their way from one owner to the next; a part of the portal's records."""

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from muster_server.store.portal_tables import transfers


@dataclass(frozen=True)
class Transfer:
    """A code that was made for the next owner, and what became of it."""

    id: str
    device_id: str
    owner: str
    made_by: str
    code_hash: str = field(repr=False)
    created_at: float
    expires_at: float
    taken_at: float | None = None
    to_owner: str | None = None
    to_do: str | None = None


class TransferRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, transfer: Transfer) -> None:
        """Keep a new one, in place of one of the same device that nobody has taken."""
        self.withdraw(transfer.owner, transfer.device_id)
        self._connection.execute(insert(transfers).values(asdict(transfer)))

    def with_code(self, code_hash: str) -> Transfer | None:
        """The transfer of this code."""
        found = self._found(transfers.c.code_hash == code_hash)
        return found[0] if found else None

    def open_of(self, owner: str, device_id: str) -> Transfer | None:
        """The code that is out for the owner's device."""
        is_open = transfers.c.taken_at.is_(None)
        found = self._found(_of(transfers.c.owner, owner, device_id) & is_open)
        return found[0] if found else None

    def taken_from(self, owner: str, most: int) -> list[Transfer]:
        """Devices that others have taken over, and about which something is left to do."""
        is_left = (transfers.c.owner == owner) & transfers.c.to_do.is_not(None)
        return self._found(is_left, most)

    def taken_by(self, owner: str, device_id: str) -> Transfer | None:
        """The newest transfer of the device to this owner."""
        found = self._found(_of(transfers.c.to_owner, owner, device_id))
        return found[0] if found else None

    def take(self, transfer_id: str, to_owner: str, at: float) -> bool:
        """Use its code up; False if somebody was quicker, or it has ended."""
        is_open = (transfers.c.taken_at.is_(None)) & (transfers.c.expires_at >= at)
        mine = (transfers.c.id == transfer_id) & is_open
        taken = update(transfers).where(mine).values(taken_at=at, to_owner=to_owner)
        return self._connection.execute(taken).rowcount == 1

    def give_back(self, transfer_id: str) -> None:
        """Let its code be used again: nothing came of it."""
        mine = transfers.c.id == transfer_id
        back = update(transfers).where(mine).values(taken_at=None, to_owner=None)
        self._connection.execute(back)

    def set_to_do(self, transfer_id: str, to_do: str) -> None:
        """Remember what is left to do for the former owner."""
        mine = transfers.c.id == transfer_id
        self._connection.execute(update(transfers).where(mine).values(to_do=to_do))

    def done(self, owner: str, device_id: str) -> None:
        """The former owner has done it."""
        mine = _of(transfers.c.owner, owner, device_id)
        self._connection.execute(update(transfers).where(mine).values(to_do=None))

    def withdraw(self, owner: str, device_id: str) -> None:
        """Forget a code that nobody has used."""
        is_open = transfers.c.taken_at.is_(None)
        mine = _of(transfers.c.owner, owner, device_id) & is_open
        self._connection.execute(delete(transfers).where(mine))

    def _found(self, condition: Any, most: int = 1) -> list[Transfer]:
        query = select(transfers).where(condition).order_by(transfers.c.created_at.desc())
        rows = self._connection.execute(query.limit(most)).mappings()
        return [Transfer(**row) for row in rows]


def _of(column: Any, owner: str, device_id: str) -> Any:
    return (column == owner) & (transfers.c.device_id == device_id)

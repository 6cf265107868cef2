# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rules of handing a device to the next owner by a code. No HTTP, no SQL.

The device stays its owner's until the code is entered; then it goes over in one step.
"""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Callable

from muster_server.errors import HostError, Unauthorized
from muster_server.portal.access import Caller
from muster_server.portal.service import Portal
from muster_server.portal.throttle import Throttle
from muster_server.store.people import PeopleStore
from muster_server.store.transfers import Transfer
from muster_server.tokens import token_hash

LIFE_S = 3 * 86400.0
MOST_LISTED = 20
_CODE_BYTES = 10


class Transfers:
    """Codes for the next owner. `clock` is in Unix seconds."""

    def __init__(
        self,
        store: PeopleStore,
        portal: Portal,
        throttle: Throttle,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._portal = portal
        self._throttle = throttle
        self._clock = clock

    def make(self, by: Caller, device_id: str) -> str:
        """Return a new code for the owner's device, told this once; a former one is good no more.

        NotFound if the owner has no such device.
        """
        device = self._portal.device(device_id, by.owner)
        code = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
        now = self._clock()
        made = Transfer(
            secrets.token_hex(8),
            device["device_id"],
            by.owner,
            by.name,
            token_hash(code),
            now,
            now + LIFE_S,
        )
        with self._store.transaction() as records:
            records.transfers.put(made)
        return "-".join(code[n : n + 4] for n in range(0, len(code), 4))

    def open_of(self, owner: str, device_id: str) -> Transfer | None:
        """Return the code that is out for the owner's device, without the code itself."""
        with self._store.transaction() as records:
            found = records.transfers.open_of(owner, device_id.upper())
        return found if found is not None and found.expires_at >= self._clock() else None

    def withdraw(self, owner: str, device_id: str) -> None:
        """Make the code good for nothing."""
        with self._store.transaction() as records:
            records.transfers.withdraw(owner, device_id.upper())

    def check(self, by: Caller, code: str, address: str) -> Transfer:
        """Return the transfer that a code is for.

        Unauthorized, whose `path` is "code", for one that is none, was used, or has ended;
        TooManyRequests after several tries, by the user and by the address.
        """
        plain = "".join(code.split()).replace("-", "").upper()
        with self._throttle.trying(f"transfer {by.name}", f"address {address}"):
            with self._store.transaction() as records:
                found = records.transfers.with_code(token_hash(plain))
            is_good = (
                found is not None
                and hmac.compare_digest(found.code_hash, token_hash(plain))
                and found.taken_at is None
                and found.expires_at >= self._clock()
            )
            if found is None or not is_good:
                raise Unauthorized("this code is not good, or not any more", path="code")
        return found

    def take(self, by: Caller, transfer: Transfer, profile: str, name: str) -> str:
        """Make the device that of `by`, with this profile; its id.

        Unauthorized if somebody was quicker; whatever the configuration server refuses, and then
        the code is as good as before.
        """
        with self._store.transaction() as records:
            if not records.transfers.take(transfer.id, by.owner, self._clock()):
                raise Unauthorized("this code is not good, or not any more", path="code")
        try:
            known = self._portal.transfer(
                transfer.device_id, transfer.owner, by.owner, profile, name
            )
        except HostError:
            with self._store.transaction() as records:
                records.transfers.give_back(transfer.id)
            raise
        with self._store.transaction() as records:
            records.transfers.set_to_do(transfer.id, json.dumps(known["to_do"]))
        return transfer.device_id

    # What is left to do

    def left_to_former(self, owner: str, device_id: str) -> list[str]:
        """Return what is left to do for the former owner of a device that somebody has taken."""
        found = [t for t in self.taken_from(owner) if t.device_id == device_id.upper()]
        return list(json.loads(found[0].to_do or "[]")) if found else []

    def taken_from(self, owner: str) -> list[Transfer]:
        """Return devices of this owner that others have, and that leave something to do."""
        with self._store.transaction() as records:
            return records.transfers.taken_from(owner, MOST_LISTED)

    def done(self, owner: str, device_id: str) -> None:
        """Note that nothing is left to do for the former owner."""
        with self._store.transaction() as records:
            records.transfers.done(owner, device_id.upper())

    def was_taken_by(self, owner: str, device_id: str) -> bool:
        """Tell whether this owner has the device from somebody else."""
        with self._store.transaction() as records:
            return records.transfers.taken_by(owner, device_id.upper()) is not None

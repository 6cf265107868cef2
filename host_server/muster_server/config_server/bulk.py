# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Steps 1 and 2 for many devices at once, with a verdict for each.

Their versions, and their accounts at the platform, are made when they come: most of a thousand
labels lie in a drawer for a while.
"""

import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from muster_server.config_server.devices import claimed
from muster_server.config_server.new_claims import INITIALISE, REGISTER, Wish
from muster_server.errors import Conflict, LabelRefused, NotFound
from muster_server.label import Label, parse_label
from muster_server.store.claims import ENDED, Claim, with_step
from muster_server.store.config import ConfigStore, Records

# The database belongs to a lot while it is written, and to whoever else waits between two of them:
# devices report meanwhile, and SQLite's lock knows no queue.
_AT_ONCE = 50
_PAUSE_S = 0.03


class _Undone(Exception):
    """Raised inside a transaction of which nothing shall be kept."""


class BulkService:
    """Registers labels for one owner. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        clock: Callable[[], float],
        expiry: Callable[[], float] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._expiry = expiry or clock

    def register(
        self, devices: Sequence[tuple[str, str]], profile: str, owner: str, is_trial: bool
    ) -> list[dict[str, Any]]:
        """One verdict for each label with its name: `added`, `known` or `refused`.

        A device that is this owner's by the same label stays as it is. After a trial nothing is
        kept. Raises NotFound if there is no such profile.
        """
        verdicts: list[dict[str, Any]] = []
        for begin in range(0, len(devices), _AT_ONCE):
            time.sleep(_PAUSE_S if begin else 0)
            with self._transaction(is_trial) as records:
                if records.profile(profile) is None:
                    raise NotFound(f'there is no profile named "{profile}"; make it first')
                verdicts += [
                    self.verdict(records, text, name, profile, owner)
                    for text, name in devices[begin : begin + _AT_ONCE]
                ]
        return verdicts

    @contextmanager
    def _transaction(self, is_trial: bool) -> Iterator[Records]:
        try:
            with self._store.transaction() as records:
                yield records
                if is_trial:
                    raise _Undone
        except _Undone:
            pass

    def verdict(
        self,
        records: Records,
        text: str,
        name: str,
        profile: str,
        owner: str,
        *,
        is_kept: bool = True,
    ) -> dict[str, Any]:
        """Register one label in this transaction, with its verdict as `register` has it. Without
        `is_kept` the verdict alone is wanted, of a transaction that is taken back.
        """
        device_id = None
        try:
            label = parse_label(text)
            device_id = label.device_id
            claims = records.claims_of(label.device_id)
            verdict = "known" if _is_held(claims, label, owner) else "added"
            if verdict == "added":
                self._add(records, claims, label, name, profile, owner, is_kept=is_kept)
        except (LabelRefused, Conflict) as error:
            return {"device_id": device_id, "verdict": "refused", "detail": str(error)}
        return {"device_id": device_id, "verdict": verdict, "detail": ""}

    def _add(
        self,
        records: Records,
        claims: list[Claim],
        label: Label,
        name: str,
        profile: str,
        owner: str,
        *,
        is_kept: bool,
    ) -> None:
        now = self._clock()
        wish = Wish(label, profile, name, owner, now)
        claim = claimed(records, claims, wish, expiry=self._expiry())
        if not is_kept:
            return
        for step in (REGISTER, INITIALISE):
            claim = with_step(claim, step, "done", "ok", 0, now)
        records.put_claim(replace(claim, status="prepared"))
        detail = f'profile "{profile}", with others'
        records.note(claim, now, "claimed", source="portal", step=REGISTER, ms=0, detail=detail)


def _is_held(claims: list[Claim], label: Label, owner: str) -> bool:
    return any(
        claim.owner == owner
        and claim.state not in ENDED
        and hmac.compare_digest(claim.secret, label.secret)
        for claim in claims
    )

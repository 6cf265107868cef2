# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device goes from one owner to the next in one step: at no moment is it nobody's, so that
somebody else who has seen its label cannot come between.
"""

import time
from collections.abc import Callable
from typing import Any

from muster_server.config_server.changing import check_is_held
from muster_server.config_server.device_view import existing
from muster_server.config_server.devices import DeviceService, claimed
from muster_server.config_server.ending import end_ownership, left_behind
from muster_server.config_server.new_claims import REGISTER, Wish
from muster_server.errors import Conflict, NotFound
from muster_server.label import Label
from muster_server.store.claims import with_step
from muster_server.store.config import ConfigStore


class TransferService:
    """Rules for transfers. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        devices: DeviceService,
        clock: Callable[[], float],
        expiry: Callable[[], float] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._devices = devices
        self._clock = clock
        self._expiry = expiry or clock
        self._monotonic = monotonic

    def transfer(
        self, device_id: str, owner: str, to: str, profile: str, name: str
    ) -> dict[str, Any]:
        """End the one's ownership and begin the other's; what the device knew of the former.

        The device is told to forget when it next asks, and its label's window is open then. Raises
        NotFound (device, profile), or Conflict if the device cannot go there.
        """
        started, now = self._monotonic(), self._clock()
        with self._store.transaction() as records:
            if records.profile(profile) is None:
                raise NotFound(f'there is no profile named "{profile}"; make it first')
            former = existing(records, device_id, owner)
            check_is_held(former)
            if to == owner:
                raise Conflict("this device is yours already")
            known = left_behind(records, former)
            end_ownership(records, former, now)
            label = Label(former.device_id, former.secret)
            claims = records.claims_of(former.device_id)
            wish = Wish(label, profile, name, to, now)
            claim = claimed(records, claims, wish, expiry=self._expiry())
            claim = with_step(claim, REGISTER, "done", "ok", None, now)
            records.put_claim(claim)
            more: dict[str, Any] = {"source": "portal", "step": REGISTER}
            records.note(claim, now, "claimed", detail=f'profile "{profile}"', **more)
        self._devices.prepare(claim, started)
        return known

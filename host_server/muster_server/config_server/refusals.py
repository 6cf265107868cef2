# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Attempts under an id that were not let in: kept in memory, and written down later.

Not at once, so that an answer to an unknown id takes the same way as one to a wrong key.
"""

import threading
from collections import OrderedDict
from dataclasses import replace

from muster_server.label import is_device_id
from muster_server.store.config import ConfigStore
from muster_server.store.history import REFUSED, Moment

_MOST = 512


class Refusals:
    """Bounded: of more than 512 ids, those that were quiet longest are forgotten first."""

    def __init__(self, store: ConfigStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._moments: OrderedDict[str, Moment] = OrderedDict()

    def note(self, device_id: str, k: str, address: str, now: float) -> None:
        """Somebody at this address asked under this id, and no key fitted."""
        if not is_device_id(device_id):
            return  # nobody owns it, and it may be of any length
        detail = f"k={k} from {address}"
        with self._lock:
            former = self._moments.pop(device_id, None)
            moment = Moment("config", now, REFUSED, 5, "server_rejected", detail=detail)
            self._moments[device_id] = _after(former, moment)
            if len(self._moments) > _MOST:
                self._moments.popitem(last=False)

    def write_down(self) -> None:
        """Tell the owners of those ids that have one."""
        with self._lock:
            moments, self._moments = self._moments, OrderedDict()
        if not moments:
            return
        try:
            with self._store.transaction() as records:
                for device_id, moment in moments.items():
                    claims = records.claims_of(device_id)
                    for owner in sorted({c.owner for c in claims if c.state != "released"}):
                        records.history.note(device_id, owner, moment)
        except Exception:  # whatever it was: they are written down next time
            self._put_back(moments)
            raise

    def _put_back(self, moments: OrderedDict[str, Moment]) -> None:
        with self._lock:
            for device_id, moment in self._moments.items():
                moments[device_id] = _after(moments.pop(device_id, None), moment)
            while len(moments) > _MOST:
                moments.popitem(last=False)
            self._moments = moments


def _after(former: Moment | None, moment: Moment) -> Moment:
    """Join two moments in one; its detail is the newer one's."""
    if former is None:
        return moment
    until, times = max(moment.at, moment.until), former.times + moment.times
    return replace(moment, at=former.at, until=until, times=times)

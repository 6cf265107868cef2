# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Secrets that somebody wrote into a management object, until the administrator fetches them.

A platform's attributes can be read, so a Wi-Fi password is not kept as one. It waits here for the
configuration server, which seals it and says so: in memory and never on the disk, or, where
several processes have to find it, sealed in the database.
"""

import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from muster_server.document import compact_json
from muster_server.errors import StoreError
from muster_server.store.platform import PlatformStore
from muster_server.store.platform_handed_on import TABLE
from muster_server.store.secrets import SecretBox

_MOST = 256
_LIFE_S = 3600.0


@dataclass(frozen=True)
class Handed:
    """A secret for the object at this path, under an id by which it is dropped."""

    id: str
    value: Any = field(repr=False)
    at: float  # of the clock of who keeps it


class Handing(Protocol):
    """Keeps the newest secret of each object; the oldest of too many goes, and all in an hour."""

    def put(self, path: str, value: Any) -> None:
        """Keep it in place of a former one. Unavailable if it cannot be kept now."""

    def get(self, path: str) -> Handed | None:
        """Return what waits for this object. Unavailable if nobody can say now."""

    def drop(self, path: str, id_: str) -> None:
        """Forget it: it is sealed elsewhere. A newer one stays."""


class HandedOn:
    """Keeps them in the memory of this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Handed] = OrderedDict()

    def put(self, path: str, value: Any) -> None:
        """Keep it in place of a former one."""
        with self._lock:
            self._waiting.pop(path, None)
            self._waiting[path] = Handed(secrets.token_hex(8), value, self._monotonic())
            if len(self._waiting) > _MOST:
                self._waiting.popitem(last=False)

    def get(self, path: str) -> Handed | None:
        """Return what waits for this object, unless it has waited for an hour."""
        with self._lock:
            found = self._waiting.get(path)
            if found is None or self._monotonic() - found.at <= _LIFE_S:
                return found
            del self._waiting[path]
            return None

    def drop(self, path: str, id_: str) -> None:
        """Forget it: it is sealed elsewhere. A newer one stays."""
        with self._lock:
            found = self._waiting.get(path)
            if found is not None and secrets.compare_digest(found.id, id_):
                del self._waiting[path]


class SharedHandedOn:
    """Keeps them for all processes, sealed with the key of all."""

    def __init__(self, store: PlatformStore, box: SecretBox, clock: Callable[[], float]) -> None:
        self._store = store
        self._box = box
        self._clock = clock

    def put(self, path: str, value: Any) -> None:
        """Keep it in place of a former one. Unavailable if the database is busy."""
        now = self._clock()
        with self._store.transaction({TABLE}) as rows:
            self._box.refresh()  # within: a rotation of the key leaves nothing behind
            sealed = self._box.seal(compact_json(value).encode(), TABLE, "value", path)
            rows.handed_on.put(path, secrets.token_hex(8), sealed, now)
            rows.handed_on.trim(now - _LIFE_S, _MOST)

    def get(self, path: str) -> Handed | None:
        """Return what waits for this object, unless it has waited for an hour, or the key is
        another one. Unavailable if the database does not answer.
        """
        self._box.refresh()
        with self._store.reading() as rows:
            row = rows.handed_on.at(path)
        if row is None or self._clock() - row["at"] > _LIFE_S:
            return None
        try:
            opened = self._box.open(row["value"], TABLE, "value", path)
        except StoreError:
            return None
        return Handed(row["id"], json.loads(opened), row["at"])

    def drop(self, path: str, id_: str) -> None:
        """Forget it: it is sealed elsewhere. A newer one stays. Unavailable if the database is
        busy.
        """
        with self._store.transaction({TABLE}) as rows:
            rows.handed_on.remove(path, id_)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Secrets that somebody wrote into a management object, until the administrator fetches them.

A platform's attributes can be read, so a Wi-Fi password is not kept as one. It waits here, in
memory and never on the disk, for the configuration server, which seals it and says so.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_MOST = 256
_LIFE_S = 3600.0


@dataclass(frozen=True)
class Handed:
    """A secret for the object at this path, under an id by which it is dropped."""

    id: str
    value: Any = field(repr=False)
    at: float  # of the monotonic clock


class HandedOn:
    """The newest secret of each object; the oldest of too many goes."""

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

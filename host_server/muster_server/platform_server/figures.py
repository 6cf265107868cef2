# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The platform's figures for operators."""

from collections.abc import Iterable

from muster_server.gauges import Gauge
from muster_server.store.platform import PlatformStore


class Figures:
    """No counts so far; whether the platform is ready. A gauges.Source."""

    def __init__(self, store: PlatformStore) -> None:
        self._store = store

    def check(self) -> None:
        """Unavailable if the database cannot be read, or its turn to write does not come."""
        with self._store.transaction({"figures"}) as rows:
            rows.accounts("", 1)

    def gauges(self) -> Iterable[Gauge]:
        """Return nothing: what is kept here is counted by the configuration server."""
        return ()

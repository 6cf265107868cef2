# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Readings of a device, for its owner, with an account that may only read."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from muster_server.config_server.containers import Containers
from muster_server.config_server.instances import CONTAINER, Place, Reading, readings_at
from muster_server.config_server.readers import READER


class ReadingService:
    """Reads at the platform that the device was told of. Knows neither HTTP nor SQL."""

    def __init__(
        self, containers: Containers, read: Callable[[Place], list[Reading]] = readings_at
    ) -> None:
        self._containers = containers
        self._read = read

    def of(self, device_id: str, owner: str, after: str | None, limit: int) -> dict[str, Any]:
        """The newest readings, at most `limit`, the oldest first; with `after`, only those that
        came after the one of this id. `is_gap`: there may be some between that nobody can see any
        more.

        Conflict if the device was never told of a platform; ServiceUnreachable if that does not
        tell.
        """
        container = self._containers.of(device_id, owner, CONTAINER)
        found = self._containers.asked(container, READER, self._read)
        found, is_gap = _after(found, after)
        return {
            "device_id": container.device_id,
            "platform": container.platform["url"],
            "container": container.path,
            "readings": [asdict(reading) for reading in found[-limit:]],
            "is_gap": is_gap or (after is not None and len(found) > limit),
        }


def _after(found: list[Reading], after: str | None) -> tuple[list[Reading], bool]:
    if after is None:
        return found, False
    ids = [reading.id for reading in found]
    if after in ids:
        return found[ids.index(after) + 1 :], False
    return found, True

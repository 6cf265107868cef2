# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The beginning of a device: its first claim; a part of the configuration server's records."""

from muster_server.store.claims import Claim
from muster_server.store.history import Moment
from muster_server.store.sql import Sql, insertion, marks

# Of a profile that nobody has changed there is no number, and of one that was removed no document.
_MAY_BEGIN = (
    "SELECT 1 FROM profile WHERE name = ? AND COALESCE(number, 1) = ? AND length(document) > 0"
    " AND NOT EXISTS (SELECT 1 FROM claim WHERE device_id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM vendor_device WHERE device_id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM history WHERE device_id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM event WHERE device_id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM device_group WHERE owner = ? AND device_id = ?)"
    " AND NOT EXISTS (SELECT 1 FROM device_tag WHERE owner = ? AND device_id = ?)"
)
_COLUMNS = (
    *("device_id", "owner", "source", "at", "until", "times", "what", "step", "code", "ms"),
    "detail",
)
_ADD_TWO = f"{insertion('history', _COLUMNS)}, ({marks(_COLUMNS)})"


class FirstRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def may_begin(self, device_id: str, owner: str, profile: str, number: int) -> bool:
        """Tell whether nothing is known of the device: no claim, no vendor's secret, no history of
        anybody, and of this owner neither group nor tag; and whether this version of the profile
        is in force.
        """
        values = (profile, number, *(device_id,) * 4, *(owner, device_id) * 2)
        return self._sql.row(_MAY_BEGIN, *values) is not None

    def note(self, claim: Claim, first: Moment, second: Moment) -> None:
        """Begin the history of a device of which there is none."""
        self._sql.run(_ADD_TWO, *_row(claim, first), *_row(claim, second))


def _row(claim: Claim, moment: Moment) -> tuple[object, ...]:
    return (
        *(claim.device_id, claim.owner, moment.source, moment.at, moment.at, 1, moment.what),
        *(moment.step, moment.code, moment.ms, moment.detail),
    )

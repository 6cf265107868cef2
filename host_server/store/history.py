# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What was seen of a device, in the order of time; a part of the configuration server's records.

Bounded: what repeats itself is counted, and only the newest of each device are kept.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from host_server.store.config_tables import history

KEPT = 256
_LONGEST_DETAIL = 200


@dataclass(frozen=True)
class Moment:
    """One thing that happened, or the same several times in a row."""

    source: str  # "device", "portal", "config", "platform"
    at: float  # Unix time; what a device reports is reckoned back from its report's arrival
    what: str  # e.g. "handed_out"; the portal has the words for it
    step: int | None = None
    code: str = "ok"
    ms: int | None = None
    detail: str = ""
    until: float = 0.0  # of the last time; only if `times` is above 1
    times: int = 1


class History:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, device_id: str, owner: str, moment: Moment) -> None:
        """Write it down, or count it if the newest of its source is the same."""
        about = _about(device_id, owner)
        detail = moment.detail[:_LONGEST_DETAIL]
        query = select(history).where(about & (history.c.source == moment.source))
        last = self._connection.execute(query.order_by(history.c.id.desc()).limit(1))
        former = last.mappings().first()
        same = {"what": moment.what, "step": moment.step, "code": moment.code, "detail": detail}
        # What a device reports comes with an order of its own, and is never counted.
        if moment.source != "device" and former is not None and same.items() <= former.items():
            again = update(history).where(history.c.id == former["id"])
            counted = {"times": former["times"] + moment.times, "until": moment.at}
            self._connection.execute(again.values(counted))
            return
        row = same | {
            "device_id": device_id,
            "owner": owner,
            "source": moment.source,
            "at": moment.at,
            "until": max(moment.at, moment.until),
            "times": moment.times,
            "ms": moment.ms,
        }
        self._connection.execute(insert(history).values(row))
        newest = select(history.c.id).where(about).order_by(history.c.id.desc()).limit(KEPT)
        self._connection.execute(delete(history).where(about & history.c.id.not_in(newest)))

    def of(self, device_id: str, owner: str) -> list[Moment]:
        """All that is remembered, in the order in which it was written down."""
        names = Moment.__dataclass_fields__
        query = select(*(history.c[name] for name in names)).where(_about(device_id, owner))
        rows = self._connection.execute(query.order_by(history.c.id)).mappings()
        return [Moment(**row) for row in rows]


def _about(device_id: str, owner: str) -> ColumnElement[bool]:
    return (history.c.device_id == device_id) & (history.c.owner == owner)

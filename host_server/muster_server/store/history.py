# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The history of a device, in the order of time; a part of the configuration server's records.

The history is bounded: what repeats itself is counted, and only the newest of each device are
kept.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from muster_server.store.config_tables import history

KEPT = 256
# Of those, of each kind that strangers can bring about, or who once had the device: they must not
# push out what the owner looks for.
REFUSED, WINDOW_CLOSED = "refused", "window_closed"
STRANGERS_KEPT = 16
_BY_STRANGERS = (REFUSED, WINDOW_CLOSED)
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
        """Write it down, or count it if the newest of its source is the same. What strangers
        bring about is a row of its own: one between two others that are the same does not part
        them.
        """
        about = _about(device_id, owner)
        is_by_stranger = moment.what in _BY_STRANGERS
        of_its_kind = history.c.what == moment.what
        its_row = about & (of_its_kind if is_by_stranger else history.c.what.not_in(_BY_STRANGERS))
        detail = moment.detail[:_LONGEST_DETAIL]
        query = select(history).where(its_row & (history.c.source == moment.source))
        last = self._connection.execute(query.order_by(history.c.id.desc()).limit(1))
        former = last.mappings().first()
        same = {"what": moment.what, "step": moment.step, "code": moment.code, "detail": detail}
        # What a device reports comes with an order of its own, and is never counted.
        if moment.source != "device" and former is not None and same.items() <= former.items():
            again = update(history).where(history.c.id == former["id"])
            until = max(moment.at, moment.until)
            counted = {"times": former["times"] + moment.times, "until": until}
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
        self._connection.execute(insert(history), row)
        if is_by_stranger:
            self._keep_newest(its_row, STRANGERS_KEPT)
        self._keep_newest(about, KEPT)

    def _keep_newest(self, some: ColumnElement[bool], most: int) -> None:
        newest = select(history.c.id).where(some).order_by(history.c.id.desc()).limit(most)
        self._connection.execute(delete(history).where(some & history.c.id.not_in(newest)))

    def of(self, device_id: str, owner: str) -> list[Moment]:
        """All that is remembered, in the order in which it was written down."""
        names = Moment.__dataclass_fields__
        query = select(*(history.c[name] for name in names)).where(_about(device_id, owner))
        rows = self._connection.execute(query.order_by(history.c.id)).mappings()
        return [Moment(**row) for row in rows]


def _about(device_id: str, owner: str) -> ColumnElement[bool]:
    return (history.c.device_id == device_id) & (history.c.owner == owner)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Writes a device's own timeline into its history: what it has told before is not told again.

A device counts milliseconds and may not know the time, so when something happened is reckoned
back from the moment at which its timeline arrived: the last entry ended then, at the latest.
"""

from muster_server.config_server.report import Entry, Report
from muster_server.store.claims import Claim
from muster_server.store.config import Records
from muster_server.store.history import Moment, Told

_LOOKED_BACK = 64  # entries; a device keeps fewer


def note_reported(records: Records, claim: Claim, report: Report, now: float) -> None:
    """Note what this report tells for the first time. `claim` is as it was before the report."""
    last = report.last
    detail = {} if last is None else {(last.step, last.code): last.detail}
    known = note_timeline(records, claim, report.timeline, now, detail)
    if last is None or last.code == "ok" or (last.step, last.code) in known:
        return
    former = claim.last or {}
    if (former.get("config"), former.get("step"), former.get("code")) == (
        last.config,
        last.step,
        last.code,
    ):
        return
    # What ended the device's timeline too, such as a power cut.
    moment = Moment("device", now, "step", last.step, last.code, detail=last.detail)
    records.history.note(claim.device_id, claim.owner, moment)


def note_timeline(
    records: Records,
    claim: Claim,
    timeline: tuple[Entry, ...],
    now: float,
    detail: dict[tuple[int, str], str],
) -> set[tuple[int, str]]:
    """Keep what is new in the timeline; the steps and codes that the timeline has."""
    if not timeline:
        return set()
    told = records.history.told_by_device(claim.device_id, claim.owner, len(timeline))
    earlier = [entry[1:4] for entry in told]
    if earlier == list(timeline):  # as nearly always, once a device is at work
        return {(step, code) for step, code, _ in timeline}
    if len(told) == len(timeline):
        told = records.history.told_by_device(claim.device_id, claim.owner, _LOOKED_BACK)
        earlier = [entry[1:4] for entry in told]
    new = list(timeline[overlap(earlier, timeline) :])
    floor = told[-1].at if told else 0.0
    left_ms = sum(ms for _, _, ms in new)
    entries = []
    for step, code, ms in new:
        left_ms -= ms
        at = max(floor, now - left_ms / 1000)
        entries.append(Told(at, step, code, ms, detail.get((step, code), "")))
    records.history.add_told(claim.device_id, claim.owner, entries)
    if claim.status != "registered":  # a device at work joins again now and then
        records.tallies.add(claim.owner, now, new)
    return {(step, code) for step, code, _ in timeline}


def overlap(earlier: list[Entry], timeline: tuple[Entry, ...]) -> int:
    """Count the entries at the timeline's beginning that are among the earlier ones, in order.

    They need not stand in a row: a device drops the retries of a step when it tries again, and the
    earlier ones keep them. New entries are always at the end, for a device adds nothing anywhere
    else.
    """
    if not timeline:
        return 0
    starts = [start for start, entry in enumerate(earlier) if entry == timeline[0]]
    return max([_matched(earlier, start, timeline) for start in starts], default=0)


def _matched(earlier: list[Entry], start: int, timeline: tuple[Entry, ...]) -> int:
    matched = 0
    for entry in earlier[start:]:
        if matched < len(timeline) and entry == timeline[matched]:
            matched += 1
    return matched

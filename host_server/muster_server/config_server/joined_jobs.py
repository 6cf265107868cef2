# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Jobs that are done together: our own platform is told of several devices at once."""

from collections.abc import Callable, Iterable

from muster_server.config_server.first_objects import MOST, Wanted
from muster_server.store.claims import DESCRIBING, Job


def parted(
    due: Iterable[Job], has_accounts: Callable[[str], bool]
) -> tuple[list[Job], list[list[Job]]]:
    """Return what is done one by one, in order; and what the platform that `has_accounts` is told
    of devices, joined, some devices together.
    """
    alone: list[Job] = []
    by_device: dict[tuple[str, str], list[Job]] = {}
    for job in due:
        about = job.arguments
        # One that an earlier release left does not say whose it is.
        if job.deed in DESCRIBING and "owner" in about and has_accounts(about["url"]):
            by_device.setdefault((about["url"], about["device_id"]), []).append(job)
        else:
            alone.append(job)
    by_url: dict[str, list[list[Job]]] = {}
    for (url, _), jobs in by_device.items():
        by_url.setdefault(url, []).append(jobs)
    return alone, [
        [job for jobs in devices[n : n + MOST] for job in jobs]
        for devices in by_url.values()
        for n in range(0, len(devices), MOST)
    ]


def wanted_by(jobs: Iterable[Job]) -> list[Wanted]:
    """Return what these want of each device; nothing for one of which they say two things."""
    by_device: dict[str, list[Job]] = {}
    for job in jobs:
        by_device.setdefault(job.arguments["device_id"], []).append(job)
    found = (_wanted(device_id, some) for device_id, some in by_device.items())
    return [wanted for wanted in found if wanted is not None]


def _wanted(device_id: str, jobs: list[Job]) -> Wanted | None:
    owner = jobs[0].arguments["owner"]
    originators = {job.arguments["originator"] for job in jobs if job.deed == "describe"}
    claims = {job.arguments["claim_id"] for job in jobs if job.deed == "objects"}
    if any(job.arguments["owner"] != owner for job in jobs):
        return None
    if len(originators) > 1 or len(claims) > 1:
        return None
    facts = [job.arguments["facts"] for job in jobs if job.deed == "describe"]
    return Wanted(
        device_id,
        owner,
        next(iter(originators), None),
        facts[-1] if facts else None,
        next(iter(claims), None),
        tuple(job.id for job in jobs),
    )

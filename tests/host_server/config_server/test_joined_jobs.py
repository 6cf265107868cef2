# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Which jobs are done together, and what do they want of each device?"""

from typing import Any

from muster_server.config_server.first_objects import MOST, Wanted
from muster_server.config_server.joined_jobs import parted, wanted_by
from muster_server.store.claims import Job

HOME, ABROAD = "http://home", "http://abroad"


def job(number: int, deed: str, device_id: str = "P", url: str = HOME, **more: Any) -> Job:
    about: dict[str, Any] = {"url": url, "device_id": device_id, "owner": "a"}
    if deed == "describe":
        about |= {"originator": "C1", "facts": {}}
    if deed == "objects":
        about["claim_id"] = "c"
    return Job(number, deed, about | more, 0)


def test_our_own_platform_is_told_of_devices_together_and_all_else_is_done_first() -> None:
    ends, far = job(1, "close_account"), job(2, "describe", url=ABROAD)
    one, two, again = job(3, "describe"), job(4, "describe", "Q"), job(5, "objects")
    alone, joined = parted([ends, far, one, two, again], lambda url: url == HOME)
    assert alone == [ends, far]
    assert joined == [[one, again, two]]


def test_no_request_tells_of_more_devices_than_fit() -> None:
    jobs = [job(n, "describe", f"P{n}") for n in range(2 * MOST + 1)]
    _, joined = parted(jobs, lambda url: True)
    assert [len(some) for some in joined] == [MOST, MOST, 1]


def test_job_that_does_not_say_whose_it_is_is_done_alone() -> None:
    old = Job(1, "describe", {"url": HOME, "device_id": "P", "originator": "C1", "facts": {}}, 0)
    assert parted([old], lambda url: True) == ([old], [])


def test_jobs_of_a_device_want_one_thing() -> None:
    former, newer = job(1, "describe", facts={"board": "A"}), job(2, "objects")
    newest = job(3, "describe", facts={"board": "B"})
    wanted = wanted_by([former, newer, newest, job(4, "objects", "Q")])
    assert wanted == [
        Wanted("P", "a", "C1", {"board": "B"}, "c", (1, 2, 3)),
        Wanted("Q", "a", None, None, "c", (4,)),
    ]


def test_jobs_that_say_two_things_are_not_joined() -> None:
    for other in (
        job(2, "describe", originator="C2"),
        job(2, "describe", owner="b"),
    ):
        assert wanted_by([job(1, "describe"), other]) == []
    assert wanted_by([job(1, "objects"), job(2, "objects", claim_id="d")]) == []

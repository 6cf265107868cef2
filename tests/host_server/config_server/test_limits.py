# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a rate limit promise?"""

import pytest

from muster_server.config_server.limits import Familiar, Limits, Places, Rate, RateLimit
from muster_server.config_server.sync import SyncService
from muster_server.errors import NotRecognised, TooManyRequests
from muster_server.label import new_label
from tests.host_server.config_server.field import Clock, Device, Field, open_field


def test_burst_is_let_through_and_then_as_many_as_time_allows() -> None:
    clock = Clock(0.0)
    limit = RateLimit(Rate(2, 0.5), clock)
    limit.take("a")
    limit.take("a")
    with pytest.raises(TooManyRequests) as caught:
        limit.take("a")
    assert caught.value.retry_s == 2
    clock.pass_s(2)
    limit.take("a")


def test_keys_do_not_share() -> None:
    limit = RateLimit(Rate(1, 1.0), Clock(0.0))
    limit.take("a")
    limit.take("b")


def test_refused_requests_do_not_put_the_next_one_off() -> None:
    clock = Clock(0.0)
    limit = RateLimit(Rate(1, 1.0), clock)
    limit.take("a")
    for _ in range(10):
        with pytest.raises(TooManyRequests):
            limit.take("a")
    clock.pass_s(1)
    limit.take("a")


def test_table_does_not_grow_without_end() -> None:
    limit = RateLimit(Rate(1, 1.0), Clock(0.0))
    for n in range(5000):
        limit.take(str(n))
    assert len(limit._buckets) == 4096


def test_each_of_a_herd_is_told_another_moment_and_none_a_late_one() -> None:
    clock = Clock(0.0)
    limit = RateLimit(Rate(1, 2.0), clock)
    limit.take("a")
    told = []
    for _ in range(1000):
        with pytest.raises(TooManyRequests) as caught:
            limit.take("a")
        told.append(caught.value.retry_s)
    assert told[:6] == [1, 1, 2, 2, 3, 3]
    assert told[-1] == 120


def test_those_who_find_no_place_come_again_at_the_servers_own_rate() -> None:
    clock = Clock(0.0)
    familiar = Familiar()
    places = Places(8, familiar, clock)
    familiar.add("198.51.100.7")
    assert places.has_room("198.51.100.7", 7) and not places.has_room("198.51.100.7", 8)
    assert places.has_room("192.0.2.1", 1) and not places.has_room("192.0.2.1", 2)
    for _ in range(150):  # ten a second
        clock.pass_s(0.1)
        places.done()
    told = [places.retry_s(8) for _ in range(100)]
    assert told == sorted(told)
    assert told[0] == 2 and 8 <= told[-1] <= 14
    assert [places.retry_s(8) for _ in range(5000)][-1] == 300  # as much as a device believes


def strangers_limited(place: Field) -> SyncService:
    limits = Limits(strangers=Rate(3, 0.1))
    return SyncService(place.store, place.versions, place.clock, place.clock, limits=limits)


def test_strangers_keep_nobody_out_whose_device_was_recognised() -> None:
    with open_field() as place:
        place.sync = strangers_limited(place)
        known, late = place.registered(), place.registered()
        known.address = "198.51.100.7"
        known.sync()
        nobody = Device(place, new_label())
        for n in range(3):
            nobody.address = f"192.0.2.{n}"
            with pytest.raises(NotRecognised):
                nobody.sync()
        nobody.address = late.address = "192.0.2.200"
        for device in (nobody, late):
            with pytest.raises(TooManyRequests):
                device.sync()
        assert known.sync()["action"] == "configure"
        late.address = known.address
        assert late.sync()["action"] == "configure"
        nobody.address = known.address
        with pytest.raises(NotRecognised):
            nobody.sync()
        place.clock.pass_s(60)
        late.address = "192.0.2.201"
        assert late.sync()["action"] == "configure"

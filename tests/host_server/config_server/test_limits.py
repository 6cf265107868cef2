# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a rate limit promise?"""

import pytest

from muster_server.config_server.limits import Rate, RateLimit
from muster_server.errors import TooManyRequests
from tests.host_server.config_server.field import Clock


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

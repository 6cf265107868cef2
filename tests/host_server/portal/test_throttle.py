# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does nobody gain guesses by more processes, by a start, or by a clock that was set?"""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from muster_server.errors import HostError, TooManyRequests
from muster_server.portal.throttle import FREE_TRIES, Throttle
from muster_server.store.engine import open_engine, transaction
from tests.host_server.portal.people_store import Stores, people_stores

_WHO, _ADDRESS = "name ada", "address 192.0.2.7"


@pytest.fixture
def url(empty_store: Callable[[str], str]) -> str:
    return empty_store("portal")


@pytest.fixture
def stores(url: str) -> Iterator[Stores]:
    with people_stores(url) as stores:
        yield stores


def fail(throttle: Throttle, who: str = _WHO, address: str = _ADDRESS) -> int:
    """Fail once; how long to wait if it was not even tried."""
    try:
        with throttle.trying(who, address):
            raise HostError
    except TooManyRequests as error:
        return error.retry_s or 0
    except HostError:
        return 0


def test_tries_at_all_processes_count_together_and_outlast_a_start(stores: Stores) -> None:
    one, other = (Throttle(store, lambda: 1000.0) for store in (stores.one, stores.other))
    waits = [fail(each) for _ in range(FREE_TRIES) for each in (one, other)]
    assert waits == [0] * FREE_TRIES + [1] * FREE_TRIES
    assert fail(Throttle(stores.one, lambda: 1000.0)) == 1


def test_success_clears_the_name_for_all_processes(stores: Stores) -> None:
    one, other = (Throttle(store, lambda: 1000.0) for store in (stores.one, stores.other))
    for n in range(FREE_TRIES - 1):
        fail(one, address=f"address {n}")
    with other.trying(_WHO, _ADDRESS):
        pass
    assert [fail(one) for _ in range(FREE_TRIES)] == [0] * FREE_TRIES


def test_success_leaves_what_others_at_the_address_failed_meanwhile(stores: Stores) -> None:
    one, other = (Throttle(store, lambda: 1000.0) for store in (stores.one, stores.other))
    with one.trying(_WHO, _ADDRESS):
        for n in range(FREE_TRIES - 1):
            assert fail(other, who=f"name {n}") == 0
    assert fail(other, who="name x") == 0
    assert fail(other, who="name y") == 1


def test_clock_that_is_set_back_locks_nobody_out_for_longer(stores: Stores) -> None:
    now = [1_000_000.0]
    throttle = Throttle(stores.one, lambda: now[0])
    for _ in range(FREE_TRIES):
        fail(throttle)
    now[0] = 1000.0
    assert fail(throttle) == 1
    now[0] += 1
    assert fail(throttle) == 0


def test_failures_are_forgotten_after_an_hour(stores: Stores, url: str) -> None:
    now = [1000.0]
    throttle = Throttle(stores.one, lambda: now[0])
    for _ in range(FREE_TRIES):
        fail(throttle)
    now[0] += 3601
    assert [fail(throttle) for _ in range(FREE_TRIES)] == [0] * FREE_TRIES
    engine = open_engine(url)
    with transaction(engine) as connection:
        kept = connection.execute(text("SELECT who, count FROM failed_try")).all()
    engine.dispose()
    # Hashes: what is typed as a name may be a password.
    assert [count for _, count in kept] == [FREE_TRIES] * 2
    assert not any("ada" in who for who, _ in kept)

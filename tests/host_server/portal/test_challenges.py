# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a challenge good once, for minutes, and for its purpose alone, whichever process is asked?"""

from collections.abc import Callable, Iterator

import pytest

from muster_server.portal.challenges import LIFE_S, Challenges
from muster_server.store.engine import open_engine
from muster_server.store.people import PeopleStore
from muster_server.store.secrets import SecretBox
from tests.host_server.portal.people_store import Stores, people_stores
from tests.postgres import Postgres


@pytest.fixture
def stores(empty_store: Callable[[str], str]) -> Iterator[Stores]:
    with people_stores(empty_store("portal")) as stores:
        yield stores


def test_challenge_is_good_once_and_for_its_purpose(stores: Stores) -> None:
    challenges = Challenges(stores.one, lambda: 1000.0)
    made = challenges.make("sign in")
    assert not challenges.take(made, "make u1")
    assert challenges.take(made, "sign in")
    assert not challenges.take(made, "sign in")
    assert made != challenges.make("sign in")


def test_challenge_ends_and_cannot_be_lengthened(stores: Stores) -> None:
    now = [1000.0]
    challenges = Challenges(stores.one, lambda: now[0])
    made = challenges.make("sign in")
    later = made[:16] + (int(now[0] + 10 * LIFE_S)).to_bytes(8, "big") + made[24:]
    for wrong in (later, b"", made[:24], made + b"x", bytes(56)):
        assert not challenges.take(wrong, "sign in")
    now[0] += LIFE_S + 1
    assert not challenges.take(made, "sign in")


def test_challenge_of_one_process_is_good_once_at_all_of_them(postgres: Postgres) -> None:
    with people_stores(postgres.emptied("portal")) as stores:
        one, other = (Challenges(store, lambda: 1000.0) for store in (stores.one, stores.other))
        made = one.make("sign in")
        assert other.take(made, "sign in")
        assert not one.take(made, "sign in")


def test_challenge_of_a_server_alone_is_good_there_alone(stores: Stores) -> None:
    engine = open_engine("sqlite://")
    alone = Challenges(PeopleStore(engine, SecretBox(bytes(32))), lambda: 1000.0)
    assert not Challenges(stores.one, lambda: 1000.0).take(alone.make("sign in"), "sign in")
    engine.dispose()

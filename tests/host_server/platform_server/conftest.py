# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A fresh platform for each test, in this process or served."""

from collections.abc import Callable, Iterator

import pytest

from muster_server.platform_server.app import create_app
from muster_server.store.engine import open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import token_hash
from tests.host_server.platform_server.client import Client, running
from tests.host_server.platform_server.receiver import Receiver, receiver
from tests.host_server.platform_server.town import ADMIN_TOKEN, INSIDE, PEN, Town
from tests.host_server.serving import served


@pytest.fixture
def platform(empty_database: Callable[[str], str]) -> Iterator[Client]:
    with running(empty_database("platform")) as client:
        yield client


@pytest.fixture
def store(empty_store: Callable[[str], str]) -> Iterator[PlatformStore]:
    engine = open_engine(empty_store("platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    yield PlatformStore(engine)
    engine.dispose()


@pytest.fixture
def town(store: PlatformStore) -> Iterator[Town]:
    """A device with a container, on a platform that may notify this machine."""
    hashes = frozenset({token_hash(ADMIN_TOKEN)})
    with served(create_app(store, lambda: hashes, notified=INSIDE)) as url:
        town = Town(url, store)
        town.register(PEN)
        town.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
        yield town


@pytest.fixture
def news() -> Iterator[Receiver]:
    with receiver() as there:
        yield there

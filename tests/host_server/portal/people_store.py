# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's store, as two processes open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from muster_server.store.engine import open_engine
from muster_server.store.forms import FORMS
from muster_server.store.migrations import migrate
from muster_server.store.people import PeopleStore
from muster_server.store.secrets import SecretBox


@dataclass
class Stores:
    """Two of them on one database."""

    one: PeopleStore
    other: PeopleStore


@contextmanager
def people_stores(url: str) -> Iterator[Stores]:
    """Open both, of a database that is migrated first."""
    engines = [open_engine(url), open_engine(url)]
    try:
        migrate(engines[0], *FORMS["portal"])
        one, other = (PeopleStore(engine, SecretBox(bytes(32))) for engine in engines)
        yield Stores(one, other)
    finally:
        for engine in engines:
            engine.dispose()

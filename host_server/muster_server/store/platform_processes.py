# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Processes of the platform at work on one database: words between them, and turns."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from muster_server.store.engine import Database
from muster_server.store.notices import Ear, say

_NEWS = "news"


class PlatformProcesses:
    """The processes at work on a database, this one included."""

    def __init__(self, engine: Engine, database: Database) -> None:
        self._engine = engine
        self._database = database

    @property
    def are_several(self) -> bool:
        """Tell whether there may be others."""
        return self._database.is_shared

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Tell whether nobody else is at this, in any process; then nobody is until the block
        ends. Unavailable if the database does not say.
        """
        with self._database.alone(what) as is_mine:
            yield is_mine

    def ear(self) -> Ear | None:
        """Return an ear for what other processes say, which the caller closes; None if there are
        none. Unavailable if the database does not answer.
        """
        return Ear(self._engine, _NEWS) if self.are_several else None

    def say(self, words: Collection[str]) -> None:
        """Tell other processes. Unavailable if the database is away."""
        if self.are_several:
            say(self._engine, _NEWS, words)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A configuration server on a disk, whose lane does the claims."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from muster_server.label import new_label
from muster_server.lane import Lane
from muster_server.store.config_tables import metadata
from muster_server.store.engine import database_url, open_engine
from tests.host_server.config_server.field import OWNER, Field


class Town:
    """A configuration server on a disk, whose lane does the claims."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "config.sqlite"
        self.engine = open_engine(database_url(folder, "config"))
        self.commits = 0
        event.listen(self.engine, "connect", self._watch)
        metadata.create_all(self.engine)
        self.place = Field(engine=self.engine)
        self.lane = Lane()

    def _watch(self, connection: sqlite3.Connection, entry: object) -> None:
        connection.set_trace_callback(self._note)

    def _note(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def claimed(self, most: int = 10) -> list[Any]:
        """Claim so many devices at once: what each got, or what went wrong."""
        return self.claimed_by(*(new_label().qr_text for _ in range(most)))

    def claimed_by(self, *labels: str, profile: str = "press") -> list[Any]:
        """The same for the devices with these labels."""
        claim: Callable[..., Any] = self.place.devices.register

        async def together() -> list[Any]:
            works = (self.lane.run(claim, text, profile, "", OWNER) for text in labels)
            return await asyncio.gather(*works, return_exceptions=True)

        return asyncio.run(together())

    def on_disk(self, question: str) -> set[str]:
        """Return what somebody else finds there."""
        other = sqlite3.connect(self.file)
        try:
            return {row[0] for row in other.execute(question)}
        finally:
            other.close()

    def close(self) -> None:
        self.lane.close()
        self.engine.dispose()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are accounts written down before a platform is asked for them, without a wait for each?"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from muster_server.errors import Unavailable
from muster_server.label import new_label
from muster_server.lane import Lane
from muster_server.store import engine as engine_module
from muster_server.store.config_tables import metadata
from muster_server.store.engine import database_url, open_engine
from tests.host_server.config_server.field import OWNER, PROFILE, Field

CLAIMS = 10
_RESERVED = "SELECT originator FROM reserved_account"


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

    def claimed(self, most: int = CLAIMS) -> list[Any]:
        """Claim so many devices at once: what each got, or what went wrong."""
        labels = [new_label().qr_text for _ in range(most)]
        claim: Callable[..., Any] = self.place.devices.register

        async def together() -> list[Any]:
            works = (self.lane.run(claim, text, "press", "", OWNER) for text in labels)
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


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    made.place.profiles.add(PROFILE)
    yield made
    made.close()


def test_claims_of_a_batch_wait_for_the_disk_together(town: Town) -> None:
    town.claimed(1)
    before = town.commits
    shown = town.claimed()
    assert [device["issued_version"] for device in shown] == [1] * CLAIMS
    # The first may have begun before the others came.
    assert town.commits - before <= 2


def test_account_is_on_the_disk_before_the_platform_is_asked_for_it(town: Town) -> None:
    seen: list[bool] = []

    def asked() -> None:
        (newest,) = [*town.place.platform.tokens][-1:]
        seen.append(newest in town.on_disk(_RESERVED))

    town.place.platform.meanwhile = asked
    town.claimed()
    assert seen == [True] * CLAIMS
    given = set(town.place.platform.tokens)
    assert given == town.on_disk("SELECT originator FROM claim")
    assert not given & town.on_disk(_RESERVED)


def test_claims_that_are_lost_with_their_batch_leave_no_account_behind(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.claimed(1)

    def lost(share: Any) -> None:
        share.undo()
        raise Unavailable("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(engine_module._Share, "end", lost)
        assert all(isinstance(end, Unavailable) for end in town.claimed())
    platform = town.place.platform
    assert len(platform.tokens) == 1 + CLAIMS
    assert len(town.on_disk("SELECT originator FROM claim")) == 1
    again = Town(tmp_path)
    try:
        again.place.platforms.platform = again.place.platform = platform
        again.claimed(63)  # as many as were left
    finally:
        again.close()
    # Each has one token: that of the claim that got the account in the end.
    assert set(platform.tokens) == again.on_disk("SELECT originator FROM claim")
    assert [len(tokens) for tokens in platform.tokens.values()] == [1] * 64
    kept = again.on_disk("SELECT token_id FROM version")
    assert {token_id for tokens in platform.tokens.values() for token_id in tokens} == kept


def test_outside_of_the_lane_none_is_reserved(town: Town) -> None:
    device = town.place.registered()
    assert town.on_disk(_RESERVED) == set()
    assert device.sync()["action"] == "configure"


def test_claim_after_a_claim_that_failed_gets_another_account(town: Town) -> None:
    town.place.platform.is_down = True
    (failed,) = town.claimed(1)
    town.place.platform.is_down = False
    (second,) = town.claimed(1)
    assert failed["attempt"]["code"] == "platform_unreachable"
    assert failed["account"] != second["account"]
    assert failed["account"]["originator"] not in town.on_disk(_RESERVED)

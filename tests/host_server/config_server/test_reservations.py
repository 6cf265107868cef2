# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are accounts written down before a platform is asked for them, without a wait for each?"""

from pathlib import Path
from typing import Any

import pytest

from muster_server.errors import Unavailable
from muster_server.store import engine as engine_module
from tests.host_server.config_server.lane_town import Town

CLAIMS = 10
_RESERVED = "SELECT originator FROM reserved_account"


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

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform have in common with a CSE that nobody here wrote?

acme_behaviour.json holds requests with ACME's recorded answers; every row must be answered alike,
or as its "ours" says, for which it must give a reason.
"""

import json
from typing import Any

import pytest

from muster_server.platform_server.addressing import CSE
from tests.host_server.platform_server.behaviour import TABLE, Answer, Player, Request
from tests.host_server.platform_server.client import Client, running

ROWS: list[dict[str, Any]] = json.loads(TABLE.read_text())["rows"]


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """The platform's answers to all rows, which build on one another."""
    with running("sqlite://", cse=CSE(provider="acme.example.com")) as client:
        for originator in ("Cdev-a", "Cdev-b", "Cdev-x"):
            client.account(originator)
        player = Player(lambda request: _send(client, request))
        return {row["name"]: player.play(row) for row in ROWS}


def _send(client: Client, request: Request) -> Answer:
    # An originator without an account has stolen somebody else's token.
    originator = request.headers.get("X-M2M-Origin", "").removeprefix("/id-in/")
    token = client.tokens.get(originator, client.tokens["Cdev-a"])
    return client.http(request.method, request.to, request.headers, request.body, token)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row["name"]))
def test_answer_is_acmes_or_differs_for_a_reason(
    row: dict[str, Any], answers: dict[str, dict[str, Any]]
) -> None:
    assert answers[row["name"]] == row["answer"] | row.get("ours", {})


def test_each_difference_has_its_reason() -> None:
    assert all(bool(row.get("ours")) == bool(row.get("reason")) for row in ROWS)


def test_most_rows_are_answered_alike() -> None:
    assert sum("ours" in row for row in ROWS) <= len(ROWS) / 6

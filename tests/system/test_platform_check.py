# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does `muster platform check` find out what ACME CSE can, which nobody here wrote?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from muster_server import cli
from tests.system.acme import ADMINISTRATOR, Acme


@pytest.fixture(scope="module")
def cse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    acme = Acme(tmp_path_factory.mktemp("acme"), "127.0.0.1", [])
    acme.start()
    try:
        acme.wait_ready()
        yield acme
    finally:
        acme.stop()


def checked(cse: Acme, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert cli.main(["platform", "check", cse.url, "--json", *words]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_acme_is_found_usable_and_left_as_it_was(
    cse: Acme, capsys: pytest.CaptureFixture[str]
) -> None:
    def there() -> object:
        return cse.request("GET", "/cse-in?rcn=6", ADMINISTRATOR).json()

    before = there()
    answer = checked(cse, capsys, "--admin", ADMINISTRATOR)
    assert there() == before
    assert answer["left"] == []
    verdicts = {found["feature"]: found["verdict"] for found in answer["findings"]}
    assert {name for name, verdict in verdicts.items() if verdict != "yes"} == set()
    assert any("Cmuster*" in line for line in answer["advice"])


def test_nodes_are_not_asked_for_without_its_administrator(
    cse: Acme, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = checked(cse, capsys)
    nodes = next(found for found in answer["findings"] if found["feature"] == "nodes")
    assert (nodes["verdict"], "--admin" in nodes["detail"]) == ("?", True)

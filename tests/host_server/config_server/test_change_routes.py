# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What may anybody bring about who says that something changed at a platform?"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from muster_server.config_server.app import create_app
from muster_server.config_server.object_places import Places
from muster_server.config_server.other_platforms import OtherPlatforms
from muster_server.service_client import Remote
from muster_server.store.config_tables import HEAD
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import SERVER_URL, FakePlatform, FakePlatforms
from tests.host_server.serving import served

NOWHERE = "http://127.0.0.1:9"
VERIFICATION: dict[str, Any] = {"m2m:sgn": {"vrq": True, "sur": "/id-in/sub1", "cr": "CAdmin"}}
NEWS: dict[str, Any] = {"m2m:sgn": {"nev": {"net": 1, "rep": {"m2m:uri": "x"}}, "sur": "/x/y"}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = open_engine(database_url(tmp_path_factory.mktemp("config"), "config"))
    migrate(engine, "muster_server.config_server", HEAD)
    app = create_app(
        engine,
        SecretBox(bytes(32)),
        accepted_hashes=frozenset,
        platforms=FakePlatforms(FakePlatform()),
        public_url=SERVER_URL,
        object_places=Places(lambda url: False, Remote(NOWHERE), "x", OtherPlatforms()),
    )
    with served(app) as url:
        yield url
    engine.dispose()


def tell(url: str, device_id: str, **more: Any) -> requests.Response:
    headers = {"X-M2M-RI": "r1", "X-M2M-RVI": "4"}
    return requests.post(f"{url}/v1/changes/{device_id}", headers=headers, timeout=5, **more)


@pytest.mark.parametrize("body", [VERIFICATION, NEWS])
def test_platform_is_answered_as_it_wants_it(url: str, body: dict[str, Any]) -> None:
    answer = tell(url, "PRESS-4", json=body)
    told = [answer.headers[name] for name in ("X-M2M-RSC", "X-M2M-RI", "X-M2M-RVI")]
    assert (answer.status_code, told) == (200, ["2000", "r1", "4"])


def test_false_call_is_no_more_than_a_reason_to_look(url: str) -> None:
    answers = {tell(url, f"GHOST-{n}", data=b"\x00{" * n).status_code for n in range(200)}
    assert answers == {200}
    assert tell(url, "PRESS-4", json=NEWS).elapsed.total_seconds() < 1


def test_what_is_too_large_or_no_device_is_refused(url: str) -> None:
    assert tell(url, "PRESS-4", data=b"x" * 20_000).status_code == 413
    assert tell(url, "no%20device", json=NEWS).status_code in (404, 422)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the deeds promise that are done at platforms later, when a platform hangs or refuses?"""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from muster_server.config_server.app import create_app
from muster_server.errors import ServiceUnreachable
from muster_server.store.claims import CLAIM_LIFE_S
from muster_server.store.engine import database_url
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import OWNER, SERVER_URL, Device, Field, open_field

_LONG_S = 60


def with_deeds(place: Field, count: int = 4) -> list[Device]:
    """Return so many devices that are to be described."""
    devices = [place.registered() for _ in range(count)]
    for device in devices:
        device.sync()
    place.platform.calls = 0
    return devices


def test_platform_that_is_silent_is_asked_once_and_everything_is_put_off(place: Field) -> None:
    devices = with_deeds(place)
    place.platform.is_down = True
    place.jobs.run_due()
    assert place.platform.calls == 1
    for device in devices:
        assert place.history_of(device)[-1].what == "describe_put_off"
    place.platform.is_down = False
    place.jobs.run_due()
    assert place.platform.calls == 1
    place.clock.pass_s(5)
    place.jobs.run_due()
    assert len(place.platform.described) == 4


def test_refusal_of_one_deed_keeps_the_others_from_nothing(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, *others = with_deeds(place)
    describe = place.platform.describe

    def some(originator: str, device_id: str, facts: dict[str, Any]) -> None:
        if device_id == refused.id:
            raise ServiceUnreachable("the platform answered HTTP 409")
        describe(originator, device_id, facts)

    monkeypatch.setattr(place.platform, "describe", some)
    place.jobs.run_due()
    assert set(place.platform.described) == {device.id for device in others}


def test_account_that_is_to_end_meanwhile_does_not_wait_for_descriptions(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, stolen = with_deeds(place)
    describe, close = place.platform.describe, place.platform.close_account
    done: list[str] = []

    def described(originator: str, device_id: str, facts: dict[str, Any]) -> None:
        if not done:
            place.devices.release(stolen.id, OWNER)
        done.append("describe")
        describe(originator, device_id, facts)

    def closed(originator: str) -> None:
        done.append("close")
        close(originator)

    monkeypatch.setattr(place.platform, "describe", described)
    monkeypatch.setattr(place.platform, "close_account", closed)
    place.jobs.run_due()
    assert done[:2] == ["describe", "close"]
    assert done.count("describe") >= 3


def test_silent_platform_is_asked_once_for_all_that_expire(place: Field) -> None:
    with_deeds(place)
    place.clock.pass_s(CLAIM_LIFE_S)
    place.platform.is_down = True
    place.presence.end_expired()
    assert place.platform.calls == 1


def test_nothing_new_is_begun_while_the_server_stops(place: Field) -> None:
    with_deeds(place)
    place.clock.pass_s(CLAIM_LIFE_S)
    place.stopping.set()
    place.jobs.run_due()
    place.presence.end_expired()
    assert place.platform.calls == 0


def test_server_that_stops_waits_for_one_deed_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a file: the server works from several threads, which one database in memory does not bear.
    with open_field(database_url(tmp_path, "config")) as place:
        with_deeds(place)
        described: list[str] = []
        begun, released = threading.Event(), threading.Event()

        def slowly(originator: str, device_id: str, facts: dict[str, Any]) -> None:
            described.append(device_id)
            begun.set()
            assert released.wait(_LONG_S)

        monkeypatch.setattr(place.platform, "describe", slowly)
        app = create_app(
            place.engine,
            SecretBox(bytes(32)),
            accepted_hashes=frozenset,
            platforms=place.platforms,
            public_url=SERVER_URL,
            clock=place.clock,
        )

        async def run() -> None:
            async with app.router.lifespan_context(app):
                assert await asyncio.to_thread(begun.wait, _LONG_S)
                # Once the end of the block waits, and has told the jobs to stop.
                asyncio.get_running_loop().call_soon(released.set)

        asyncio.run(run())  # waits for the thread
        assert len(described) == 1


def test_what_was_put_off_while_the_clock_was_wrong_is_done(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.clock.pass_s(400 * 86_400)
    place.platform.is_down = True
    place.devices.release(device.id, OWNER)
    place.jobs.run_due()
    place.platform.is_down = False
    place.clock.pass_s(-400 * 86_400)
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_news_are_what_nobody_has_looked_at(place: Field) -> None:
    place.jobs.run_due()
    assert not place.jobs.has_news
    device = place.registered()
    assert not place.jobs.has_news
    device.sync()  # is to be described
    assert place.jobs.has_news
    place.jobs.run_due()
    assert not place.jobs.has_news and device.id in place.platform.described
    with place.store.transaction() as records:
        for _ in range(150):
            records.add_job("unheard of", place.clock(), url=place.platforms.url)
    place.jobs.run_due()
    assert place.jobs.has_news  # more than are done at once
    place.jobs.run_due()
    assert not place.jobs.has_news

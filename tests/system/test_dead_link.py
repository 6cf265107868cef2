# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The link is what traffic proves: a device whose network says "connected" and carries nothing.

It joins anew, switches its radio off and on, restarts, each later than the last; and does nothing
of it where somebody answers.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from tests.system.board_time import hasty
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 90.0
_SPEED = 30
_SILENT = rb"step 8 wifi_timeout \d+ms joined, and nobody has answered for (\d+) s: (\w+)"
_RESTART = b"rst:0xc"


@contextlib.contextmanager
def fast(story: Story, speed: float = _SPEED) -> Iterator[None]:
    story.operational.dns.patience_s = 0.2
    with hasty(story.board, speed):
        yield


def at_work(story: Story, **profile: Any) -> Label:
    label = story.begin(**profile)
    story.switch_on()
    story.committed(_PATIENCE_S)
    story.first_reading(label, _PATIENCE_S)
    return label


def cures(story: Story, since: int = 0) -> list[tuple[int, str]]:
    """Return after how many silent seconds the device has done what."""
    found = re.findall(_SILENT, bytes(story.board.output)[since:])
    return [(int(seconds), what.decode()) for seconds, what in found]


def joins(story: Story) -> int:
    return sum(e.details["ssid"] == b"factory" for e in story.air.traced("join"))


@contextlib.contextmanager
def skipping(story: Story, grace_s: float) -> Iterator[None]:
    """Let 7 s be over at once whenever the device only waits."""
    story.operational.dns.patience_s = 0.2
    story.board.clock.skip_idle(grace_s=grace_s, shortest_s=7)
    try:
        yield
    finally:
        story.board.clock.skip_idle(False)


def passes(story: Story, seconds: float) -> None:
    """Let so many of the board's seconds pass, in which it can be answered."""
    end = story.board.clock.time() + seconds
    with skipping(story, grace_s=0.3):
        while story.board.clock.time() < end:
            time.sleep(0.02)


Cure = Literal["association", "radio", "restart"]
CURES: dict[Cure, list[str]] = {
    "association": ["joins"],
    "radio": ["joins", "switches"],
    "restart": ["joins", "switches", "restarts"],
}


@pytest.mark.parametrize("until", CURES)
def test_a_dead_link_is_left_and_what_heals_it_is_found(story: Story, until: Cure) -> None:
    label = at_work(story)
    assert story.operational.go_dead(until=until)
    said = len(story.board.output)
    with fast(story):
        story.board.expect(_SILENT, _PATIENCE_S)
        for _ in CURES[until][1:]:
            story.board.expect(_SILENT, _PATIENCE_S)
        story.board.expect(rb"step 9 ok", _PATIENCE_S)
    found = cures(story, said)
    assert [what for _, what in found] == CURES[until]
    waits = [seconds for seconds, _ in found]
    assert waits[0] >= 120 and waits == sorted(set(waits))
    assert bytes(story.board.output)[said:].count(_RESTART) == (until == "restart")

    def is_told(_: object) -> bool:
        entries = story.timeline(label)["entries"]
        return any((e["step"], e["code"]) == (8, "wifi_timeout") for e in entries)

    with fast(story, 10):
        story.wait_for(label, is_told, _PATIENCE_S)


def test_a_device_that_says_nothing_for_hours_notices_it_too(story: Story) -> None:
    at_work(story, app={"interval_s": 36000})
    assert story.operational.go_dead()
    with skipping(story, grace_s=0.3):
        story.board.expect(_SILENT, _PATIENCE_S)
        story.board.expect(rb"step 9 ok", _PATIENCE_S)


def test_servers_that_are_down_are_no_reason_to_leave_a_network_whose_gateway_answers(
    story: Story,
) -> None:
    at_work(story)
    story.servers.platform.stop()
    story.servers.config.stop()
    before, said = joins(story), len(story.board.output)
    passes(story, 1800)
    assert joins(story) == before
    assert not cures(story) and _RESTART not in bytes(story.board.output)[said:]


def test_a_device_that_starts_while_the_platform_is_down_keeps_its_join(story: Story) -> None:
    at_work(story)
    story.servers.platform.stop()
    story.board.reset()
    story.board.expect(rb"step 8 ok", _PATIENCE_S)
    before = joins(story)
    with fast(story):
        for _ in range(4):
            story.board.expect(rb"step 9 platform_unreachable", _PATIENCE_S)
    assert joins(story) == before


def test_a_gateway_that_never_answers_is_no_reason_while_the_platform_does(story: Story) -> None:
    at_work(story, app={"interval_s": 36000})
    gateway = story.operational.gateway
    story.air.on_connect = lambda board, host, port: (
        ("192.0.2.1", 9) if (host, port) == (gateway, 80) else None
    )
    before = joins(story)
    asked = len(story.air.traced("connect"))
    passes(story, 3600)
    assert joins(story) == before and not cures(story)
    ports = [e.details["port"] for e in story.air.traced("connect")[asked:]]
    assert ports.count(8422) >= 2, ports  # so it was asked
    story.air.on_connect = None


def test_a_link_that_stays_dead_is_restarted_later_and_later(story: Story) -> None:
    at_work(story)
    story.operational.go_dead(until=None)
    said = len(story.board.output)
    with skipping(story, grace_s=0.05):
        for _ in range(3):
            story.board.expect(_RESTART, _PATIENCE_S)
    found = [seconds for seconds, what in cures(story, said) if what == "restarts"]
    assert [seconds // 900 for seconds in found[:3]] == [1, 2, 4], found
    story.operational.revive()
    with fast(story):
        story.board.expect(rb"step 9 ok", _PATIENCE_S)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do devices go before those who look at them, and not for ever?"""

import threading

import pytest

from muster_server import giving_way
from muster_server.config_server import device_view
from muster_server.config_server.device_view import Wanted
from muster_server.giving_way import give_way
from muster_server.lane import Lane, leave
from tests.host_server.config_server.field import OWNER, open_field
from tests.host_server.lanes import LONG_S, run
from tests.host_server.lanes import disk as disk
from tests.host_server.lanes import lane as lane


class _Work:
    """A device's request, which takes until it is let go."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.order: list[str] = []

    def do(self) -> None:
        self.begun.set()
        self.may_end.wait(LONG_S)
        self.order.append("device")


def _look(work: _Work) -> threading.Thread:
    def look() -> None:
        work.begun.wait(LONG_S)
        give_way()
        work.order.append("page")

    thread = threading.Thread(target=look)
    thread.start()
    return thread


def test_who_looks_goes_on_when_the_lane_has_nothing_to_do(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "_LONGEST_S", LONG_S)
    give_way()  # nobody has come yet
    work = _Work()
    looking = _look(work)
    letting_go = threading.Timer(0.05, work.may_end.set)
    letting_go.start()
    run(lane.run(work.do))
    looking.join(LONG_S)
    assert work.order == ["device", "page"]


def test_lane_that_is_never_idle_holds_nobody_up_for_ever(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "_LONGEST_S", 0.01)
    work = _Work()
    looking = _look(work)

    def when_looked() -> None:
        looking.join(LONG_S)
        work.may_end.set()

    waiting = threading.Thread(target=when_looked)
    waiting.start()
    run(lane.run(work.do))
    waiting.join(LONG_S)
    assert work.order == ["page", "device"]


def test_in_the_lane_itself_nobody_waits(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "_LONGEST_S", 10 * LONG_S)
    run(lane.run(give_way))


def test_lane_whose_work_has_left_has_nothing_to_do(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "_LONGEST_S", 10 * LONG_S)
    looked = threading.Event()

    def leave_and_wait() -> bool:
        leave()
        give_way()
        looked.set()
        return looked.is_set()

    assert run(lane.run(leave_and_wait))


def test_list_of_devices_gives_way_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(device_view, "give_way", lambda: given.append(1))
    with open_field() as place:
        for _ in range(20):
            place.registered()
        place.devices.views.page(OWNER, Wanted())
    assert len(given) == 3

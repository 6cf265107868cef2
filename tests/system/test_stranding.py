# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Dangers that could keep a device from its owner for good.

An application that ends every life; a network that throws the device out again and again;
strangers' networks that stall it while somebody presses.
"""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.air.air import AccessPoint
from tests.system.board_time import hasty, hold
from tests.system.story import Story
from tests.system.test_living_with_it import mpremote

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0

# Its watchdog bites after 3 s, so that a test need not wait for a minute.
HANGS_IF_TOLD = """\
import asyncio
import machine
import time
import muster

real = machine.WDT
machine.WDT = lambda timeout: real(timeout=min(timeout // 20, 6000))

async def app(session):
    while session.config["app"].get("mode") == "hang":
        time.sleep(1)
    while True:
        await session.publish("mode", session.config["app"].get("mode"))
        await asyncio.sleep(1)

muster.run(app)
"""


def test_a_setting_with_which_the_application_hangs_can_be_taken_back(
    story: Story, tmp_path: Path
) -> None:
    label = story.onboard()
    main = tmp_path / "main.py"
    main.write_text(HANGS_IF_TOLD)
    mpremote(story, "cp", str(main), ":main.py")
    story.change_profile(app={"mode": "hang"})
    story.board.reset()
    assert story.committed(_PATIENCE_S) == 2
    for _ in range(3):
        story.board.expect(rb"task_wdt: Task watchdog got triggered", _PATIENCE_S)
    story.board.expect(rb"no radio for (\d+) ms", _PATIENCE_S)
    story.change_profile(app={"mode": "work"})
    story.press()  # ends the rest
    assert story.committed(_PATIENCE_S) == 3
    device = story.wait_for(label, lambda d: d["version"] == 3 and d["state"] == "registered")
    assert device["claim"] == "proved"
    at_watchdog = [e for e in story.timeline(label)["entries"] if e["code"] == "watchdog"]
    assert at_watchdog, "the portal has heard why it restarted"
    after = story.board.output.rpartition(b"committed version 3")[2]
    assert b"task_wdt" not in after


def test_a_network_that_throws_the_device_out_is_joined_later_and_later(story: Story) -> None:
    story.onboard()
    with hasty(story.board, speed=4):
        for _ in range(4):
            story.operational.lose(story.board.name)
            story.operational.reach(story.board.name)
            story.board.expect(rb"step 8 wifi_timeout \d+ms the network was lost", _PATIENCE_S)
            assert story.step(9, _PATIENCE_S).code == "ok"
    said = story.board.output.decode(errors="replace")
    lost = [int(t) for t in re.findall(r"M (\d+) E step 8 wifi_timeout", said)]
    again = [int(t) for t in re.findall(r"M (\d+) I step 8 ok", said)][-len(lost) :]
    waits_ms = [joined - left for left, joined in zip(lost, again, strict=True)]
    # 1, 2, 4 and 8 s, with a quarter's jitter.
    assert waits_ms[-1] > 6000 and waits_ms[-2] > 3000, waits_ms


@pytest.mark.parametrize("stall", ["dhcp", "server"])
def test_strangers_networks_do_not_keep_a_press_waiting(story: Story, stall: str) -> None:
    label = story.make_label()
    story.write_label(label)
    for n in range(4):
        point = story.air.add_access_point(f"MUSTER-stranger-{n}", rssi=-20 - n)
        if stall == "dhcp":
            point.dhcp_s = None
        else:
            point.impairment.latency_s = 10.0
    story.switch_on()
    story.wait_until_joined("MUSTER-stranger-0")
    for _ in range(2):
        story.board.press("button", ms=120)
        time.sleep(0.1)
    story.board.expect(rb"button twice", 10)  # each of the four takes 20 s
    story.board.expect(rb"setup network SETUP-\S+, http", 10)


@contextlib.contextmanager
def silent(story: Story, port: int) -> Iterator[None]:
    """Let in everybody who connects to that port, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, there = listener.getsockname()
        story.air.on_connect = lambda board, to, at: (host, there) if at == port else None
        yield
        story.air.on_connect = None


@contextlib.contextmanager
def without_dhcp(point: AccessPoint) -> Iterator[None]:
    usual_s, point.dhcp_s = point.dhcp_s, None
    yield
    point.dhcp_s = usual_s


# Each of them would last for 10 to 30 s.
STALLS = {
    4: lambda story: without_dhcp(story.onboarding),
    5: lambda story: silent(story, 8421),
    8: lambda story: without_dhcp(story.operational),
    9: lambda story: silent(story, 8422),
}


@pytest.mark.parametrize("step", STALLS)
def test_a_long_press_ends_a_step_that_stalls_and_the_next_attempt_succeeds(
    story: Story, step: int
) -> None:
    story.begin()
    with STALLS[step](story):
        story.switch_on()
        until(story, step)
        hold(story.board, 7)
        story.board.expect(rb"button 5 s", _PATIENCE_S)
    said = story.board.output
    assert not re.search(rb"step %d (?!ok)" % step, said.partition(b"button 5 s")[0])
    assert story.committed(_PATIENCE_S) == 1


def test_a_long_press_ends_a_search_for_the_operational_network(story: Story) -> None:
    story.onboard()
    with without_dhcp(story.operational):
        story.board.reset()
        story.wait_until_joined("factory", times=2)
        hold(story.board, 7)
        story.board.expect(rb"button 5 s", _PATIENCE_S)
    assert b"dhcp_timeout" not in story.board.output.rpartition(b"button 5 s")[0]
    assert story.step(6, _PATIENCE_S).code == "ok"


def until(story: Story, step: int) -> None:
    """Until that step is under way, on the network that it needs."""
    if step == 4:
        story.wait_until_joined("MUSTER-demo")
    elif step == 8:
        story.wait_until_joined("factory")
    else:
        assert story.step(step - 1, _PATIENCE_S).code == "ok"

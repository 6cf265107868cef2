# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Outcomes without a story of their own, each from its real cause.

The serial log, the LED, the next report and the portal agree on step and code.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.units.full_filesystem import fill_filesystem
from tests.system.board_time import hasty
from tests.system.flashes import wait_for_flashes
from tests.system.middlemen import Middleman
from tests.system.story import Label, Story
from tests.system.test_living_with_it import mpremote

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
Bend = Callable[[bytes], bytes | None]


def failed(story: Story, step: int, code: str) -> str:
    """The serial log says so, once a trial's time is over; the detail."""
    with hasty(story.board):
        return failed_in_its_time(story, step, code)


def failed_in_its_time(story: Story, step: int, code: str) -> str:
    """The serial log says so; the detail."""
    found = story.step(step, _PATIENCE_S)
    while found.code == "ok":
        found = story.step(step, _PATIENCE_S)
    assert (found.number, found.code) == (step, code)
    return found.detail


def agreed(story: Story, label: Label, step: int, code: str) -> str:
    """The next report tells the portal the same; the sentence for a person."""

    def is_told(device: dict[str, dict[str, object] | None]) -> bool:
        last = device["last"]
        return last is not None and (last["step"], last["code"]) == (step, code)

    last = story.wait_for(label, is_told, _PATIENCE_S)["last"]
    sentence: str = last["sentence"]
    assert sentence.endswith(".") and "{" not in sentence
    return sentence


def told_at_the_platform(story: Story, label: Label) -> list[list[object]]:
    """The timeline that the device has left there."""
    story.first_reading(label, _PATIENCE_S)
    originator = story.device(label)["account"]["originator"]
    kept = json.loads(story.platform(f"/cse-in/{originator}/muster/la")["m2m:cin"]["con"])
    timeline: list[list[object]] = kept["timeline"]
    return timeline


# What an ESP32 shows for a password that the access point does not take, and for other security.
REASONS = {15: "wifi_auth", 204: "wifi_auth", 205: "wifi_auth", 210: "wifi_security"}


def test_every_way_in_which_a_network_refuses_is_named_everywhere(story: Story) -> None:
    label = story.begin()
    for n, (reason, code) in enumerate(REASONS.items()):
        story.operational.refuses_with = reason
        story.press() if n else story.switch_on()
        failed(story, 8, code)
        assert "'factory'" in agreed(story, label, 8, code)
        if n == 0:  # flashes are counted at their own speed
            wait_for_flashes(story.board, 8, _PATIENCE_S)
    story.operational.refuses_with = None
    story.press()
    story.committed(_PATIENCE_S)
    seen = [entry[:2] for entry in told_at_the_platform(story, label)]
    for code in REASONS.values():
        assert [8, code] in seen
    assert seen[-1][0] in (5, 6, 9), "the last word is of what succeeded"


def test_a_brown_out_is_told_with_its_step_and_its_repetition_keeps_the_radio_off(
    story: Story,
) -> None:
    label = story.begin()
    story.operational.dhcp_s = 30.0
    story.switch_on()
    story.wait_until_joined("factory", _PATIENCE_S)
    story.board.brown_out()
    detail = failed(story, 8, "power_lost")
    assert "brown-out" in detail
    agreed(story, label, 8, "power_lost")
    for _ in range(2):
        story.board.brown_out()
        story.board.expect(rb"power_lost", _PATIENCE_S)
    story.board.expect(rb"no radio for (\d+) ms", _PATIENCE_S)
    wait_for_flashes(story.board, 3, _PATIENCE_S)  # where the newest of them has ended
    story.operational.dhcp_s = 0.02
    story.press()
    story.committed(_PATIENCE_S)


MAIN = """\
import asyncio
import machine
import muster
from muster import led

real = machine.WDT
machine.WDT = lambda timeout: real(timeout=min(timeout // 20, 6000))

async def app(session):
    await asyncio.sleep(1)
    led.PATTERNS["committed"] = None  # a defect: the task that blinks dies of it

muster.run(app)
"""


def test_a_task_that_dies_ends_in_the_watchdog_which_is_told(story: Story, tmp_path: Path) -> None:
    story.begin()
    story.switch_on()
    main = tmp_path / "main.py"
    main.write_text(MAIN)
    mpremote(story, "cp", str(main), ":main.py")
    story.board.reset()
    story.committed(_PATIENCE_S)
    story.board.expect(rb"task led is silent", _PATIENCE_S)
    story.board.expect(rb"task_wdt: Task watchdog got triggered", _PATIENCE_S)
    detail = failed(story, 9, "watchdog")
    assert "led" in detail


def test_a_full_filesystem_is_told_and_the_device_goes_on_when_there_is_room(
    story: Story,
) -> None:
    label = story.begin()
    fill_filesystem(story.board)
    story.switch_on()
    found = story.next_step(_PATIENCE_S)
    while found.code == "ok":
        found = story.next_step(_PATIENCE_S)
    assert found.code == "storage_failed"
    # Which write fails first depends on what little room is left, and so does the step.
    story.wait_for(
        label,
        lambda device: device["last"] is not None and device["last"]["code"] == "storage_failed",
        _PATIENCE_S,
    )
    assert b"unexpected error" not in story.board.output


def test_a_network_without_a_server_is_named_and_the_server_found_when_it_runs(
    story: Story,
) -> None:
    label = story.begin()
    story.servers.config.stop()
    story.switch_on()
    assert "MUSTER-demo" in failed(story, 4, "discovery_none")
    story.servers.config.start()
    story.servers.config.wait_ready()
    story.press()
    assert "'MUSTER-demo'" in agreed(story, label, 4, "discovery_none")
    wait_for_flashes(story.board, 4, _PATIENCE_S)


def test_a_network_that_is_full_and_one_that_vanishes_are_there_and_do_not_let_in(
    story: Story,
) -> None:
    label = story.begin()
    story.operational.most_stations = 0
    story.switch_on()
    failed(story, 8, "wifi_timeout")
    assert "'factory'" in agreed(story, label, 8, "wifi_timeout")
    story.operational.most_stations = 250
    story.operational.dhcp_s = 30.0
    story.press()
    story.wait_until_joined("factory", _PATIENCE_S)
    story.operational.remove()
    # First it has lost its beacons, and the second attempt does not find it.
    assert failed(story, 8, "wifi_no_ap").startswith("factory")
    assert b": status 200" in story.board.output
    agreed(story, label, 8, "wifi_no_ap")
    story.operational.restore()
    story.operational.dhcp_s = 0.02
    story.press()
    story.committed(_PATIENCE_S)


@contextlib.contextmanager
def bent_replies(story: Story, true: tuple[str, int], bend: Bend) -> Iterator[None]:
    """Bend each reply of a server with `bend`."""
    with Middleman(true, bend) as middle:
        story.air.on_connect = lambda board, host, port: (
            middle.address if (host, port) == true else None
        )
        yield
        story.air.on_connect = None


@contextlib.contextmanager
def no_address(story: Story) -> Iterator[None]:
    """DHCP stalls; the board's clock runs until it gives up."""
    story.operational.dhcp_s = None
    with hasty(story.board, speed=20):
        yield
    story.operational.dhcp_s = 0.02


@contextlib.contextmanager
def no_platform(story: Story) -> Iterator[None]:
    story.servers.platform.stop()
    yield
    story.servers.platform.start()
    story.servers.platform.wait_ready()


def config_server(story: Story) -> tuple[str, int]:
    return story.onboarding.gateway, 8421


REFUSAL = b"HTTP/1.1 403 -\r\nX-M2M-RSC: 4103\r\nContent-Length: 0\r\n\r\n"
# From its cause to everybody who has to hear of it. The others have tests of their own.
CAUSES: list[tuple[int, str, Callable[[Story], contextlib.AbstractContextManager[None]]]] = [
    (5, "server_unreachable", lambda s: bent_replies(s, config_server(s), lambda reply: None)),
    (6, "server_untrusted", lambda s: bent_replies(s, config_server(s), bent)),
    (8, "dhcp_timeout", no_address),
    (9, "platform_unreachable", no_platform),
    (
        *(9, "platform_refused"),
        lambda s: bent_replies(s, (s.operational.gateway, 8422), lambda reply: REFUSAL),
    ),
]


def bent(reply: bytes) -> bytes:
    """One bit of the sealed part is another."""
    return reply[:-1] + bytes([reply[-1] ^ 1])


@pytest.mark.parametrize(("step", "code", "cause"), CAUSES, ids=[code for _, code, _ in CAUSES])
def test_log_light_portal_and_platform_agree_on_step_and_code(
    story: Story,
    step: int,
    code: str,
    cause: Callable[[Story], contextlib.AbstractContextManager[None]],
) -> None:
    label = story.begin()
    with cause(story):
        story.switch_on()
        failed(story, step, code)
    wait_for_flashes(story.board, step, _PATIENCE_S)
    story.committed(_PATIENCE_S)  # the cause is over, and its next report has told of it
    first = story.timeline(label)["first_cause"]
    assert (first["step"], first["code"]) == (step, code)
    assert first["sentence"].endswith(".") and "{" not in first["sentence"]
    assert [step, code] in [entry[:2] for entry in told_at_the_platform(story, label)]


def test_a_network_that_vanishes_while_the_device_registers_is_a_platform_out_of_reach(
    story: Story,
) -> None:
    label = story.begin()
    story.operational.impairment.latency_s = 1.0
    story.switch_on()
    assert story.step(8, _PATIENCE_S).code == "ok"
    story.operational.remove()
    with hasty(story.board, speed=20):  # until the device gives up
        failed(story, 9, "platform_unreachable")
    agreed(story, label, 9, "platform_unreachable")
    story.operational.impairment.latency_s = 0.0
    story.operational.restore()
    story.press()
    story.committed(_PATIENCE_S)


# Each of them keeps the device waiting for 15 s, together less than the shortest trial.
SLOW = ("factory", "factory-2", "factory-3")


def network(story: Story, ssid: str) -> dict[str, object]:
    return {"ssid": ssid, "psk": story.password, "hidden": False, "ip": "dhcp"}


@pytest.mark.hil_needs("clock")
def test_networks_that_stall_one_after_the_other_are_all_tried_and_told(story: Story) -> None:
    networks = [network(story, ssid) for ssid in SLOW]
    for ssid in SLOW[1:]:
        story.air.add_access_point(ssid, password=story.password, dhcp_s=None)
    story.operational.dhcp_s = None
    label = story.begin(networks=networks)
    story.switch_on()
    story.board.expect(rb"step 7 ok", _PATIENCE_S)
    with hasty(story.board, speed=20):
        detail = failed(story, 8, "dhcp_timeout")
    assert all(f"{ssid} gives no address" in detail for ssid in SLOW)
    agreed(story, label, 8, "dhcp_timeout")


@pytest.mark.hil_needs("clock")
def test_a_trial_in_which_everything_is_slow_ends_with_its_time(story: Story) -> None:
    for ssid in SLOW[1:]:
        story.air.add_access_point(ssid, password=story.password, dhcp_s=None)
    story.operational.dhcp_s = 12.0
    label = story.begin(networks=[network(story, ssid) for ssid in reversed(SLOW)])
    platform = (story.operational.gateway, 8422)

    def late(reply: bytes) -> bytes:
        time.sleep(2.5)  # 7.5 s of the board's
        return reply

    story.switch_on()
    story.board.expect(rb"step 7 ok", _PATIENCE_S)
    with bent_replies(story, platform, late), hasty(story.board, speed=3):
        assert "60 s" in failed_in_its_time(story, 9, "timeout")
    agreed(story, label, 9, "timeout")

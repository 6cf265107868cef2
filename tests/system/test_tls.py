# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A platform over https: the device trusts the configured authority for the configured name, at a
time that it believes in, and nobody else."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.facts import read_facts
from muster_harness.units.emulated import EmulatedBoard
from tests.certificates import Authority
from tests.system.board_time import hasty
from tests.system.secure import NAME, SecurePlatform, impostor, ntp_server
from tests.system.story import ROOT, Label, Step, Story

HOUR = timedelta(hours=1)


@pytest.fixture
def story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(
        tmp_path, flash=deployed_flash, platform=SecurePlatform, virtual_time=True
    ) as story:
        story.operational.names[NAME] = story.operational.gateway
        yield story


@pytest.fixture
def platform(story: Story) -> SecurePlatform:
    platform = story.servers.platform
    assert isinstance(platform, SecurePlatform)
    return platform


def failed_registration(story: Story, words: str) -> Step:
    """For this cause, whatever else goes wrong before: an earlier trial may still be under way."""
    with hasty(story.board):  # most of them may pass by themselves: a trial has its time
        step = story.step(9)
        while words not in step.detail:
            step = story.step(9)
    return step


def registered_again(story: Story, timeout_s: float = 20.0) -> None:
    while story.step(9, timeout_s).code != "ok":
        pass


def test_nine_steps_with_the_certificates_of_muster_certs_dev(story: Story) -> None:
    label = story.begin()
    story.switch_on()
    story.press()
    steps = [story.next_step() for _ in range(7)]
    assert [(step.number, step.code) for step in steps] == [(n, "ok") for n in range(3, 10)]
    story.committed()
    story.first_reading(label)
    assert f"muster:{label.device_id}" in story.application_entity(label)["lbl"]
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert device["claim"] == "proved"


def bad_certificates(
    trusted: Authority, folder: Path
) -> Iterator[tuple[tuple[Path, Path], bool, str]]:
    """Files, whether they end the trial at once, and words of its cause."""
    now = datetime.now(UTC)
    good = (now - HOUR, now + HOUR)
    future = "validity starts in the future"
    yield Authority().issue(folder, NAME, *good), False, "not correctly signed"
    yield trusted.issue(folder, "other.example", *good), True, "does not match"
    yield trusted.issue(folder, NAME, now - 2 * HOUR, now - HOUR), True, "has expired"
    yield trusted.issue(folder, NAME, now + HOUR, now + 2 * HOUR), False, future


def test_each_bad_certificate_is_refused_with_its_cause_and_the_good_one_accepted(
    story: Story, platform: SecurePlatform, tmp_path: Path
) -> None:
    label = story.begin()
    trusted = Authority(platform.certificates)
    for n, (files, is_final, words) in enumerate(bad_certificates(trusted, tmp_path)):
        with impostor(*files) as address:
            story.air.on_connect = lambda board, host, port, there=address: (
                there if port == 8422 else None
            )
            story.press() if n else story.switch_on()
            if not is_final:  # a stranger may be gone soon, and a certificate become good
                story.board.expect(
                    rb"trial 9 platform_tls: m2m.example[^\r]*" + words.encode(), 60
                )
                continue
            step = failed_registration(story, words)
            assert (step.code, NAME in step.detail) == ("platform_tls", True), step
            told_at_the_portal(story, label, "platform_tls", words)
    story.air.on_connect = None
    story.press()
    story.committed(60)


def told_at_the_portal(story: Story, label: Label, code: str, words: str) -> None:
    def is_told(device: dict[str, dict[str, str]]) -> bool:
        return device["last"] is not None and words in device["last"]["detail"]

    story.press()
    last = story.wait_for(label, is_told)["last"]
    assert (last["step"], last["code"]) == (9, code)
    assert "platform" in last["sentence"]


def cold_start(story: Story) -> None:
    """After a while without power: nothing has kept the time."""
    story.board.power_off()
    story.board.forget_output()
    story.switch_on()


def test_a_cold_boot_without_a_configuration_server_lives_on_its_floor(story: Story) -> None:
    label = story.onboard()
    story.first_reading(label)
    story.servers.config.stop()
    cold_start(story)
    registered_again(story)


def test_a_clock_behind_the_certificate_is_named_and_cured_by_ntp_or_a_sync(
    story: Story, platform: SecurePlatform, tmp_path: Path
) -> None:
    """The platform's certificate is younger than the firmware, which is all the board knows."""
    now = datetime.now(UTC)
    flashed = int((now - 12 * HOUR).timestamp())
    platform_restarted(story, platform, now - 6 * HOUR, tmp_path)
    story.board.power_on()
    story.board.expect(rb"this board has no label", 5)
    deploy_firmware(
        story.board.port, ROOT / "firmware", build={"model": "old press", "built": flashed}
    )
    story.board.power_off()
    policy = {"failsafe_s": 60, "sync_s": 3600, "ntp": story.operational.gateway}
    label = story.begin(policy=policy)
    story.switch_on()
    story.committed()  # a directive has told the time
    story.first_reading(label)

    story.servers.config.stop()
    cold_start(story)
    step = failed_registration(story, "starts in the future")
    assert step.code == "clock_unknown", step
    with ntp_server(story.operational.gateway) as asked:
        story.press()
        registered_again(story)
    assert asked

    cold_start(story)
    with ntp_server(story.operational.gateway, ahead_s=3 * 365 * 86400):
        step = failed_registration(story, "has expired")
        assert step.code == "clock_unknown", step
    with ntp_server(story.operational.gateway):
        story.press()
        registered_again(story)  # the next answer has corrected the guess, downwards

    story.servers.config.start()
    story.servers.config.wait_ready()
    cold_start(story)
    registered_again(story)  # its NTP server is away, and the configuration server is not


def platform_restarted(
    story: Story, platform: SecurePlatform, begin: datetime, folder: Path
) -> None:
    """With a certificate that is good from then on, for its name and for its address."""
    trusted = Authority(platform.certificates)
    names = (NAME, story.operational.gateway)
    platform.wait_ready()
    platform.stop()
    platform.show(*trusted.issue(folder, names, begin, begin + 48 * HOUR))
    platform.start()


def test_a_new_authority_reaches_a_device_that_can_no_longer_register(
    story: Story, platform: SecurePlatform, tmp_path: Path
) -> None:
    label = story.onboard()
    story.first_reading(label)
    story.board.power_off()
    now, new = datetime.now(UTC), Authority()
    platform.stop()
    names = (NAME, story.operational.gateway)
    platform.show(*new.issue(tmp_path, names, now - HOUR, now + HOUR))
    (platform.certificates / "ca.pem").write_text(new.pem)
    platform.start()
    platform.wait_ready()
    story.change_profile(platform=story.profile()["platform"] | {"ca": new.pem})
    story.board.forget_output()
    story.switch_on()
    assert story.committed(30) == 2


# As if something else had taken all of ESP-IDF's heap but small pieces.
SHORT_OF_MEMORY = """\
import esp32
import muster

real = esp32.idf_heap_info
esp32.idf_heap_info = lambda kind: [(n, m, min(m, 9000), l) for n, m, _, l in real(kind)]

async def app(session):
    pass

muster.run(app)
"""


def test_too_little_memory_for_tls_is_named_with_figures_and_no_fault_of_the_platform(
    story: Story,
) -> None:
    label = story.begin()
    story.board.power_on()
    story.board.write_file("/main.py", SHORT_OF_MEMORY)
    story.board.reset()
    step = failed_registration(story, "9000 in one piece, 17000 wanted")
    assert step.code == "platform_tls"
    last = story.wait_for(label, lambda device: device["last"] is not None)["last"]
    assert (last["step"], last["code"]) == (9, "platform_tls")
    assert "memory" in last["sentence"] and "9000" in last["detail"]
    story.board.write_file("/main.py", (ROOT / "firmware/main.py").read_text())
    story.board.reset()
    story.committed()


# The chips without PSRAM whose heap is known, by measurement or (C3, C6) by estimate.
CHIPS = (
    "ESP32_GENERIC",
    "ESP32_GENERIC_S2",
    "ESP32_GENERIC_S3",
    "ESP32_GENERIC_C3",
    "ESP32_GENERIC_C6",
)


@pytest.mark.parametrize("chip", CHIPS)
def test_nine_steps_over_tls_in_the_memory_of_a_chip_without_psram(
    story: Story, tmp_path: Path, chip: str
) -> None:
    """Before and after the application has let MicroPython's heap grow as far as it can."""
    label = story.begin(app={"interval_s": 8})
    with small_board(story, tmp_path, chip) as board:
        board.power_on()
        board.expect(rb"life committed version", 60)
        story.first_reading(label, 30)
        wait_between_readings(board)
        board.idf_heap.grow_python(200_000)
        count = story.container(label)["cni"]
        story.wait_for(label, lambda _: story.container(label)["cni"] > count + 1, 60)
        assert b"no memory for TLS" not in board.output


def wait_between_readings(board: EmulatedBoard) -> None:
    """Until nothing has been taken or given back for so long as the device takes to look after its
    room: while a connection lasts, what its handshake has had is free for all."""
    end = time.monotonic() + 30
    quiet_since, before = time.monotonic(), board.idf_heap.free_bytes
    while time.monotonic() < quiet_since + 2:
        assert time.monotonic() < end, "the heap is never quiet"
        time.sleep(0.05)
        if before != (before := board.idf_heap.free_bytes):
            quiet_since = time.monotonic()


# An application that is at fault for once: it uses up what is kept for TLS.
GREEDY = """\
import asyncio
import muster
from muster import room

async def app(session):
    await session.publish("x", 1)
    room.give()
    print("given")
    while True:
        await asyncio.sleep(2)
        await session.publish("x", 1)

muster.run(app)
"""


def test_a_board_whose_memory_is_gone_restarts_ever_later_and_registers_again(
    story: Story, tmp_path: Path
) -> None:
    """Something takes ESP-IDF's heap for good; a restart gives it back."""
    label = story.begin()
    with small_board(story, tmp_path, "ESP32_GENERIC") as board:
        board.power_on()
        board.write_file("/main.py", GREEDY)
        board.reset()
        board.expect(rb"life committed version[^$]*given", 60)
        board.idf_heap.take("camera", board.idf_heap.free_bytes - 9000, 1000)
        board.expect(rb"no memory for TLS 3 times in a row: restarts", 120)
        board.expect(rb"step 9 ok", 60)
        count = story.container(label)["cni"]
        story.wait_for(label, lambda _: story.container(label)["cni"] > count + 1, 30)


@contextlib.contextmanager
def small_board(story: Story, folder: Path, chip: str) -> Iterator[EmulatedBoard]:
    """A board like the story's, of which ESP-IDF's heap has an end."""
    story.board.close()
    shutil.copytree(folder / "board", folder / chip)
    facts = read_facts(str(ROOT / "boards" / f"{chip}.toml"))
    with EmulatedBoard(
        folder / chip, air=story.air, heap="512K", facts=facts, name=chip, limits_idf_heap=True
    ) as board:
        yield board

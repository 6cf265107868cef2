# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The nine steps, and a day at work, through the front ends that people put before a platform:
with their defaults; and with TLS, compression and a preset of security headers."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from muster_harness.units.emulated import EmulatedBoard
from tests.programs.proxies import NAMES
from tests.system.fronted import NAME, Front, PlainFront, SecureFront
from tests.system.story import STEP, Label, Story

_READINGS = 3
_EVERY_S = 8 * 3600  # a day of the board's time
_PATIENCE_S = 30.0


class Scene:
    """Servers and a registered label; each test has a blank board of its own."""

    def __init__(self, directory: Path, flash: Path, platform: type[PlainFront]) -> None:
        self.story = Story(directory, flash=flash, platform=platform)
        self._directory = directory

    def __enter__(self) -> "Scene":
        story = self.story.__enter__()
        story.operational.names[NAME] = story.operational.gateway
        policy = {"failsafe_s": 60, "sync_s": 86400, "ntp": None}
        self.label: Label = story.begin(app={"interval_s": _EVERY_S}, policy=policy)
        story.board.close()
        return self

    def __exit__(self, *error: object) -> None:
        self.story.__exit__(None, None, None)

    def board(self, name: str) -> EmulatedBoard:
        story = self.story
        story.portal("POST", f"/v1/devices/{self.label.device_id}/window")
        folder = self._directory / name
        shutil.copytree(self._directory / "board", folder)
        return EmulatedBoard(folder, air=story.air, heap="512K", name=name, virtual_time=True)

    def readings(self) -> int:
        """Return how many there are at the platform, whoever has made them."""
        try:
            return int(self.story.container(self.label)["cni"])
        except requests.HTTPError:
            return 0  # nobody has registered yet

    def wait_for_readings(self, count: int, board: EmulatedBoard) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while self.readings() < count:
            assert time.monotonic() < deadline, board.output[-3000:].decode(errors="replace")
            time.sleep(0.05)

    def front(self, name: str) -> Front:
        platform = self.story.servers.platform
        certificate = platform.certificate if isinstance(platform, SecureFront) else None
        upstream = self.story.operational.gateway, 8422
        return Front(name, self._directory / f"{name}-front", upstream, certificate)

    def lead_to(self, front: Front) -> None:
        """Send everybody who asks for m2m.example to this front end."""
        port = 443 if isinstance(self.story.servers.platform, SecureFront) else 80
        self.story.air.on_connect = lambda board, host, to: front.address if to == port else None


@pytest.fixture(scope="module", params=[PlainFront, SecureFront], ids=["plain", "secure"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, deployed_flash: Path
) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("fronts"), deployed_flash, request.param) as scene:
        yield scene


@pytest.mark.parametrize("name", NAMES)
def test_nine_steps_and_a_day_at_work(scene: Scene, name: str) -> None:
    before = scene.readings()
    with scene.front(name) as front, scene.board(name) as board:
        scene.lead_to(front)
        board.power_on()
        seen: list[tuple[int, str, str]] = []
        while not seen or seen[-1][0] != 9:
            found = board.expect(STEP, _PATIENCE_S)
            seen.append((int(found[1]), found[2].decode(), found[4].decode()))
        assert [entry[:2] for entry in seen] == [(n, "ok") for n in range(3, 10)], seen
        board.expect(rb"life committed version", _PATIENCE_S)
        scene.wait_for_readings(before + 1, board)
        # What is under way has to be over before time leaps: no answer comes within a leap.
        board.clock.skip_idle(grace_s=2.0, shortest_s=30)
        scene.wait_for_readings(before + _READINGS, board)
        board.clock.skip_idle(False)
        doubts = [line for line in board.output.splitlines() if b" W " in line]
        assert doubts == [], "nothing had to be done twice"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Applications that publish and then sleep deeply: each wake is a life of its own."""

import ipaddress
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muster_harness.esp32.supervisor import Supervisor
from tests.soak.world import Server, World
from tests.system.fakes import FakeServer, reply

_LEASE_S = 6 * 86400
_NAP_S = 1500
_SYNC_S = 3600
_PATIENCE_S = 20.0
_GRACE_S = 0.4

_MAIN = """
import asyncio, machine, muster

async def app(session):
    nap_s = session.config["app"]["interval_s"]
    print("SHORT runs", nap_s)
    try:
        await session.publish("nap_s", nap_s)
        print("SHORT published")
    except Exception as e:
        print("SHORT unpublished", e)
    print("SHORT ends")
    {sleep}
    print("SHORT goes on")

{before}
muster.run(app)
"""
# A board that sleeps leaves its connections without a word, and a server in this process may still
# wait for it when it is stopped.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

_BY_ITSELF = "machine.deepsleep(nap_s * 1000)"
_BY_SESSION = "await session.sleep(nap_s)"


class Counted:
    """An ASGI application that keeps what devices have asked it for, and nobody else: they have
    addresses of the network's own, and whatever runs on this machine has not."""

    def __init__(self, app: Any, network: str) -> None:
        self._app = app
        self._network = ipaddress.ip_network(network, strict=False)
        self.requests: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_http = scope["type"] == "http"
        if is_http and ipaddress.ip_address(scope["client"][0]) in self._network:
            query = scope["query_string"].decode()
            self.requests.append(f"{scope['method']} {scope['path']}?{query}")
        await self._app(scope, receive, send)

    def taken(self) -> list[str]:
        """Return the requests since the last call."""
        requests, self.requests = self.requests, []
        return requests


class Sleeper:
    """A committed device whose application sleeps, and its servers, which count requests."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.board = world.board
        self.platform = self._counted(world.platform)
        self.config = self._counted(world.config)
        self._read = 0

    def _counted(self, server: Server) -> Counted:
        network = f"{self.world.operational.gateway}/24"
        counted = server._app = Counted(server._app, network)
        return counted

    def begin(
        self,
        sleep: str = _BY_SESSION,
        before: str = "",
        nap_s: int = _NAP_S,
        sync_s: int = _SYNC_S,
    ) -> None:
        main = _MAIN.format(sleep=sleep, before=before)
        self.world.onboard(sync_s, nap_s, is_bare=True, main=main)
        self._nap_s = nap_s
        if "sleep(nap_s" in sleep or "deepsleep" in sleep:
            self.ends()
        self.forget()

    def forget(self) -> None:
        self.platform.taken()
        self.config.taken()

    @property
    def hardware(self) -> Supervisor:
        return self.board._supervisor

    def wakes(self) -> str:
        """The next whole wake, up to its sleep, which lasts until the next call: its log."""
        self.board.clock.jump(self._nap_s)
        said = self.ends(rb"rst:0x5.*?SHORT ends")
        self._nap_s = int(re.findall(r"SHORT runs (\d+)", said)[-1])
        return said

    def ends(self, pattern: bytes = rb"SHORT ends") -> str:
        """The present life, until it sleeps: its log."""
        said = self.until(pattern)
        deadline = time.monotonic() + _PATIENCE_S
        while self.hardware.sleep.kind is None:
            assert time.monotonic() < deadline, "it does not sleep"
            time.sleep(0.01)
        return said

    def until(self, pattern: bytes, timeout_s: float = _PATIENCE_S) -> str:
        """Wait for this in what has not been read yet, and return the log up to it."""
        deadline = time.monotonic() + timeout_s
        while True:
            output = bytes(self.board.output)
            if found := re.compile(pattern, re.DOTALL).search(output, self._read):
                began, self._read = self._read, found.end()
                return output[began : self._read].decode(errors="replace")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {pattern!r} in {output[self._read :].decode()}")
            time.sleep(0.01)

    def syncs(self) -> int:
        return sum("/sync" in request for request in self.config.taken())

    def change(self, interval_s: int, sync_s: int = _SYNC_S) -> None:
        self.world.ask(
            "PUT", "/v1/profiles/soak?owner=admin", self.world.profile(sync_s, interval_s)
        )


@pytest.fixture
def sleeper(tmp_path: Path, deployed_flash: Path) -> Iterator[Sleeper]:
    world = World(tmp_path, deployed_flash, _LEASE_S)
    sleeper = Sleeper(world)
    with world:
        yield sleeper


@pytest.mark.parametrize("sleep", [_BY_ITSELF, _BY_SESSION], ids=["deepsleep", "session"])
def test_a_wake_costs_one_request_and_new_settings_come_at_the_next_due_one(
    sleeper: Sleeper, sleep: str
) -> None:
    sleeper.begin(sleep)
    sleeper.wakes()  # whatever was left over from the first life
    sleeper.forget()
    asked = 0
    for _ in range(6):
        sleeper.wakes()
        assert len(sleeper.platform.taken()) == 1
        asked += sleeper.syncs()
    assert 2 <= asked <= 3  # 9,000 s of naps, asked each hour
    sleeper.change(_NAP_S + 7)
    for _ in range(3):  # an hour at most
        if f"SHORT runs {_NAP_S + 7}" in sleeper.wakes():
            break
    else:
        raise AssertionError("the new settings have not come")
    assert b"power_lost" not in sleeper.board.output
    sleeper.wakes()  # a confirmation that the application's sleep has cut off goes up again
    sleeper.forget()
    for _ in range(4):
        sleeper.wakes()
    assert 1 <= sleeper.syncs() <= 2
    device = sleeper.world.device()
    assert (device["state"], device["version"], device["claim"]) == ("registered", 2, "proved")


def test_after_a_sleep_longer_than_its_wait_the_server_is_asked_before_the_application_runs(
    sleeper: Sleeper,
) -> None:
    sleeper.begin(nap_s=3 * _SYNC_S)
    sleeper.forget()
    said = sleeper.wakes()
    assert said.index("clock 20") < said.index("SHORT runs")  # the answer told the time
    assert (len(sleeper.platform.taken()), sleeper.syncs()) == (1, 1)
    sleeper.change(3 * _SYNC_S + 1)
    said = sleeper.wakes()
    assert f"SHORT runs {3 * _SYNC_S}\r" not in said and "committed version 2" in said
    assert f"SHORT runs {3 * _SYNC_S + 1}" in said


def test_a_wake_in_which_the_platform_is_down_costs_a_reading_and_nothing_else(
    sleeper: Sleeper,
) -> None:
    sleeper.begin()
    sleeper.wakes()
    sleeper.world.platform.stop()
    assert "SHORT unpublished platform_unreachable" in sleeper.wakes()
    sleeper.world.platform.start()
    sleeper.forget()
    assert "SHORT published" in sleeper.wakes()
    assert len(sleeper.platform.taken()) == 1


def test_a_server_that_is_down_is_asked_later_and_later_and_the_application_runs_all_the_same(
    sleeper: Sleeper,
) -> None:
    sleeper.begin(nap_s=100)
    sleeper.world.config.stop()
    sleeper.board.clock.jump(_SYNC_S)  # it is due, once it wakes
    said = "".join(sleeper.wakes() for _ in range(8))
    assert said.count("SHORT published") == 8
    assert 2 <= said.count("sync server_unreachable") <= 4  # after 60, 120, 240, 480 s
    sleeper.world.config.start()
    sleeper.change(101)
    sleeper.board.clock.jump(_SYNC_S)
    assert "SHORT runs 101" in sleeper.wakes() + sleeper.wakes()


def test_a_lease_that_has_run_out_and_a_profile_that_has_changed_while_it_slept(
    sleeper: Sleeper,
) -> None:
    sleeper.begin(nap_s=2 * _LEASE_S)
    sleeper.change(_NAP_S)
    said = sleeper.wakes()
    assert "committed version 2" in said and f"SHORT runs {_NAP_S}" in said
    assert "SHORT published" in said and "step 9 ok" in said
    sleeper.forget()
    sleeper.wakes()
    assert len(sleeper.platform.taken()) == 1


def test_a_lease_that_has_run_out_alone_is_made_anew_before_the_reading(sleeper: Sleeper) -> None:
    sleeper.begin(nap_s=2 * _LEASE_S)
    sleeper.forget()
    assert "SHORT published" in sleeper.wakes()
    assert sleeper.platform.taken()[0].startswith("PUT /")


@pytest.mark.parametrize("fault", ["rotten", "brown-out", "watchdog"])
def test_whatever_befalls_the_sleeper_costs_a_registration_and_a_sync(
    sleeper: Sleeper, fault: str
) -> None:
    sleeper.begin()
    sleeper.wakes()
    sleeper.forget()
    if fault == "rotten":
        _rot(sleeper.hardware)
        sleeper.wakes()
    else:
        restart = sleeper.board.brown_out if fault == "brown-out" else sleeper.board.reset
        restart()
        sleeper.ends()
    first = sleeper.platform.taken()
    assert first[0].startswith("POST /cse-in?") and len(first) <= 6
    # A brown-out is told as a failure, and once the device has registered that it is over.
    assert sleeper.syncs() == (2 if fault == "brown-out" else 1)
    sleeper.wakes()
    assert len(sleeper.platform.taken()) <= 2  # a lease may be of the former life
    sleeper.wakes()
    assert len(sleeper.platform.taken()) == 1


def _rot(hardware: Supervisor) -> None:
    content = bytearray(hardware.rtc.memory)
    content[9] ^= 0x40
    hardware.rtc.memory = bytes(content)


def test_a_sleep_waits_for_the_trial_that_is_under_way(sleeper: Sleeper) -> None:
    sleeper.begin()
    sleeper.board.power_off()
    sleeper.change(_NAP_S + 1)
    sleeper.world.operational.dhcp_s = 2.0  # long enough for an application to fall asleep in it
    sleeper.board.power_on()
    said = sleeper.ends(rb"SHORT runs 1501.*SHORT ends")
    assert f"SHORT runs {_NAP_S}\r" in said and "committed version 2" in said
    assert "deep_sleep" not in said and "power_lost" not in said


def test_a_board_that_cannot_sleep_deeply_sleeps_lightly_and_goes_on(sleeper: Sleeper) -> None:
    """No chip of this kind can be woken from deep sleep by such a pin, and it refuses."""
    wake = "import esp32; esp32.wake_on_gpio((machine.Pin(33, machine.Pin.IN),), 1)"
    sleeper.begin(before=wake, nap_s=300)
    before = sleeper.world.now()
    sleeper.until(rb"this board cannot sleep deeply")
    sleeper.board.clock.skip_idle(shortest_s=2, grace_s=_GRACE_S)
    said = sleeper.until(rb"SHORT goes on.*step 9 ok")
    assert sleeper.world.now() - before >= 299
    for bad in ("rst:0x", "is silent", "wifi_timeout"):
        assert bad not in said


def test_a_machine_that_is_switched_off_every_night_comes_back_after_a_day_of_silence(
    sleeper: Sleeper,
) -> None:
    """The server is lost. In the evening something else is there, which hears the key."""
    sleeper.begin("await asyncio.sleep(86400)")
    sleeper.world.config.stop()
    for hours, key in ((9, b"1"), (9, b"1"), (7, b"adopted")):
        sleeper.board.clock.skip_idle(shortest_s=30, grace_s=0.02)
        end = sleeper.world.now() + hours * 3600
        while sleeper.world.now() < end:
            sleeper.until(rb"sync server_unreachable")
        with FakeServer(sleeper.world.operational.gateway, reply("403 Forbidden")) as server:
            sleeper.until(rb"something else answered there")
        assert re.findall(rb"sync\?k=(\w+)", b"".join(server.seen))[-1] == key
        sleeper.board.clock.skip_idle(False)
        sleeper.board.power_off()
        sleeper.board.clock.jump(15 * 3600)
        sleeper.board.power_on()

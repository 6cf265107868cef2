# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Boards that talk without a network, and who does not hear them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness import Air, EmulatedBoard

_UP = """
import espnow, network
w = network.WLAN(network.WLAN.IF_STA)
w.active(True)
e = espnow.ESPNow()
e.active(True)
"""


@pytest.fixture
def two(tmp_path: Path, air: Air) -> Iterator[tuple[EmulatedBoard, EmulatedBoard]]:
    with (
        EmulatedBoard(tmp_path / "press", air=air) as press,
        EmulatedBoard(tmp_path / "lamp", air=air) as lamp,
    ):
        for board in (press, lamp):
            board.power_on()
            board.expect(">>> ")
            board.exec(_UP)
        for board, other in ((press, lamp), (lamp, press)):
            mac = other.eval("w.config('mac')")
            board.exec(f"other = {mac!r}; e.add_peer(other)")
        yield press, lamp


def test_a_message_arrives_with_its_sender(
    two: tuple[EmulatedBoard, EmulatedBoard], air: Air
) -> None:
    press, lamp = two
    assert press.eval("e.send(other, b'ring')") is True
    assert lamp.eval("e.recv(1000)[1]") == b"ring"
    assert lamp.eval("e.peers_table[other][0]") == air.ether.rssi
    (event,) = air.traced("espnow")
    assert (event.board, event.details["heard"]) == ("press", True)


@pytest.mark.parametrize(
    "hinder",
    [
        lambda air, lamp: air.ether.separate("press", "lamp"),
        lambda air, lamp: lamp.exec("w.config(channel=6)"),
        lambda air, lamp: lamp.exec("w.active(False)"),
        lambda air, lamp: lamp.power_off(),
    ],
    ids=["far away", "another channel", "radio off", "no power"],
)
def test_who_cannot_hear_does_not_acknowledge(
    two: tuple[EmulatedBoard, EmulatedBoard], air: Air, hinder: object
) -> None:
    hinder(air, two[1])  # type: ignore[operator]
    assert two[0].eval("e.send(other, b'ring')") is False


def test_other_keys_read_nothing(two: tuple[EmulatedBoard, EmulatedBoard]) -> None:
    press, lamp = two
    press.exec("e.mod_peer(other, lmk=b'k' * 16)")
    press.exec("e.send(other, b'ring')")
    assert lamp.eval("e.recv(50)") == (None, None)
    lamp.exec("e.mod_peer(other, lmk=b'k' * 16)")
    press.exec("e.send(other, b'ring')")
    assert lamp.eval("e.recv(1000)[1]") == b"ring"


def test_a_full_buffer_drops(two: tuple[EmulatedBoard, EmulatedBoard]) -> None:
    press, lamp = two
    press.exec("for _ in range(5): e.send(other, bytes(1470))")
    assert lamp.eval("e.any() and e.stats()[3:]") == (1, 4)


def test_an_event_loop_reads_and_a_soft_reset_ends_it(
    two: tuple[EmulatedBoard, EmulatedBoard],
) -> None:
    press, lamp = two
    lamp.exec("import aioespnow, asyncio; a = aioespnow.AIOESPNow()")
    press.exec("e.send(other, b'ring')")
    lamp.exec("async def one(): return (await a.arecv())[1]")
    assert lamp.eval("asyncio.run(one())") == b"ring"
    lamp.reset("soft")
    lamp.expect(">>> ")
    lamp.exec("import espnow; e = espnow.ESPNow()")
    assert lamp.eval("(e.active(), e.stats())") == (False, (0, 0, 0, 0, 0))

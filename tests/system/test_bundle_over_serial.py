# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A bundle sent over the serial port while the application runs, whatever else is on the line."""

import json
import os
import random
import select
import threading
import tty
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from muster_harness import cli
from muster_harness.bench.bundle_frames import LONGEST, Answers, request
from muster_harness.bench.bundle_link import BundleLink, digest
from muster_harness.errors import BoardError
from tests.system.board_time import hasty
from tests.system.carried import DEVICE_ID, SECRET, Carried, OwnNetwork
from tests.wire import bundles
from tests.wire.receipts import receipt

_END_S = 10.0


@pytest.fixture
def running(own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path) -> Iterator[Carried]:
    """A blank device whose program runs."""
    with Carried(own_network, tmp_path / "board", labelled_flash, virtual_time=True) as carried:
        carried.board.power_on()
        carried.board.expect(rb"step 4 wifi_no_ap", 20)
        yield carried


def test_a_bundle_is_sent_applied_and_acknowledged(
    running: Carried, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = running.network.bundle()
    file = tmp_path / "PRESS-4.muster"
    file.write_text(text + "\n")
    port = ["--port", running.board.port]
    assert cli.main(["bundle", "send", *port, "--json", str(file)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["device_id"], said["version"], said["code"]) == (DEVICE_ID, 1, "ok")
    assert said["receipt"] == receipt(DEVICE_ID, SECRET, 1, "ok", text)
    assert cli.main(["bundle", "status", *port]) == 0
    shown = capsys.readouterr().out
    assert f"receipt  {said['receipt'][:4]} {said['receipt'][4:]}" in shown


def test_what_is_not_ours_is_refused_at_once(
    running: Carried, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "PRESS-4.muster"
    for text, code in (
        (running.network.bundle(secret=bundles.REISSUED_SECRET), "server_untrusted: tag"),
        (bundles.made(protected=bundles.header("PRESS-5")), "server_untrusted: kid"),
        (bundles.flipped(running.network.bundle(), 2, 3), "server_untrusted: tag"),
        (bundles.made()[:-1], "config_invalid: bundle"),
        ("a.b.c.d.e", "config_invalid"),
        ("words", "config_invalid"),
        ("x" * 1_000_000, "config_invalid"),
    ):
        file.write_text(text)
        assert cli.main(["bundle", "send", "--port", running.board.port, str(file)]) == 5
        assert code in capsys.readouterr().err
    assert f"{DEVICE_ID}.muster" not in running.files()


def test_one_of_ours_that_cannot_be_applied_has_a_receipt(
    running: Carried, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "PRESS-4.muster"
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    text = running.network.bundle(running.network.config(2, networks=wrong))
    file.write_text(text)
    with hasty(running.board):
        sent = cli.main(["bundle", "send", "--port", running.board.port, "--json", str(file)])
    assert sent == 1
    said = json.loads(capsys.readouterr().out)
    assert said["code"] == "wifi_auth" and "factory" in said["detail"]
    assert said["receipt"] == receipt(DEVICE_ID, SECRET, 2, "wifi_auth", text)


_CHATTERBOX = """
import asyncio, muster

async def app(session):
    pass

async def chatter():
    while True:
        print("42 ~M", end="")
        await asyncio.sleep_ms(3)
        print("> or so")
        await asyncio.sleep_ms(40)

async def main():
    asyncio.create_task(chatter())
    await muster.start(app)

asyncio.run(main())
"""


class NoisyLine:
    """A serial line between `port` and the board on which one byte in a hundred is another one.

    Noise has one random generator for each direction.
    """

    def __init__(self, board_port: str, share: float = 0.01) -> None:
        self._to_board, self._from_board = random.Random(4), random.Random(5)
        self._share = share
        self._board = serial.Serial(board_port, timeout=0)
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self._slave = slave
        self.port = os.ttyname(slave)
        self.hit = 0
        self._ends, self._end = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def __enter__(self) -> "NoisyLine":
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._end, b"x")
        self._thread.join(_END_S)
        assert not self._thread.is_alive(), "the line still carries something"
        self._board.close()
        for fd in (self._master, self._slave, self._ends, self._end):
            os.close(fd)

    def _carry(self) -> None:
        board = self._board.fileno()
        while True:
            ready, _, _ = select.select([board, self._master, self._ends], [], [])
            if self._ends in ready:
                return
            if board in ready:
                os.write(self._master, self._noisy(os.read(board, 4096), self._from_board))
            if self._master in ready:
                os.write(board, self._noisy(os.read(self._master, 4096), self._to_board))

    def _noisy(self, data: bytes, chance: random.Random) -> bytes:
        copy = bytearray(data)
        for i in range(len(copy)):
            if chance.random() < self._share:
                copy[i] = chance.randrange(256)
                self.hit += 1
        return bytes(copy)


def test_noise_and_an_application_that_prints_cost_only_time(running: Carried) -> None:
    board = running.board
    running.copy_all({"main.py": _CHATTERBOX})
    board.reset()
    board.expect(rb"42 ~M> or so", 20)
    text = running.network.bundle()
    with NoisyLine(board.port) as line, BundleLink(line.port) as link:
        link.send(text, lambda done, total: None, 60)
        assert line.hit > 30
    board.expect(rb"bundle receipt", 30)
    with BundleLink(board.port) as link:
        status = link.status()
    assert (status.code, status.version, status.digest) == ("ok", 1, digest(text))


def test_a_person_at_the_keyboard_is_no_hindrance_and_the_prompt_stays_one_key_away(
    running: Carried,
) -> None:
    board = running.board
    text = running.network.bundle()
    board.write(b"hello?\r\n~M> who are you\r\n" + b"x" * 400)
    with BundleLink(board.port) as link:
        assert link.status().device_id == DEVICE_ID
        link._ask(5, "begin")
        link._ask(5, "data", "0", text[:80])
    board.forget_output()
    board.write(b"\x03")  # in the middle of a transfer
    board.expect(rb">>> ", 10)
    assert running.mpremote("exec", "print(6 * 7)").strip() == "42"
    board.reset()
    with BundleLink(board.port) as link:
        link.send(text, lambda done, total: None, 60)
    assert running.outcome(text) == (1, "ok")


def test_a_board_at_its_prompt_is_told_apart(running: Carried) -> None:
    running.board.write(b"\x03")
    running.board.expect(rb">>> ", 10)
    with (
        BundleLink(running.board.port, hello_s=1.5) as link,
        pytest.raises(BoardError, match="At its prompt"),
    ):
        link.status()


def test_frames_are_found_in_whatever_else_is_said() -> None:
    answers = Answers()
    frame = b"~M< 7 go 96 %08x" % zlib.crc32(b"7 go 96")
    assert answers.feed(b"M 12 I step\r\nhalf a line " + frame[:9]) == []
    assert answers.feed(frame[9:] + b"\r\n" + frame[:-1] + b"0\r\n") == [(7, ["go", "96"])]
    assert answers.feed(b"~M< 7 go ~M< 8 go ~M" + frame + b"\n") == [(7, ["go", "96"])]
    assert answers.feed(request(7, "status")) == []  # an echo is no answer


def test_no_frame_is_longer_than_the_ring_can_take() -> None:
    assert len(request(99999, "data", "6144", "x" * 90)) <= LONGEST
    with pytest.raises(ValueError, match="at most"):
        request(1, "data", "0", "x" * 200)

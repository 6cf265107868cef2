# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The emulated board answers every probe as an ESP32 does, and a broken quirk is noticed."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from muster_harness.contract.oracle import read_omissions
from muster_harness.contract.probe import PROBES, Step, difference, load_probes
from muster_harness.contract.suite import Stage, ask_stubs, emulated_stage, require_free, run_probe
from muster_harness.contract.wire import Wire
from muster_harness.errors import BoardError, HarnessError
from muster_harness.esp32.shim_cache import SHIMS
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.tcp_port import TCPPort
from tests.harness.contract.broken_quirks import BEHIND_THEM, IN_SHIMS

ALL = {probe.name: probe for probe in load_probes()}


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[Wire, Stage]]:
    with emulated_stage() as made:
        yield made


@pytest.mark.parametrize("name", ALL)
def test_the_emulated_board_keeps_the_contract(asked: tuple[Wire, Stage], name: str) -> None:
    wire, stage = asked
    result = run_probe(wire, ALL[name], stage)
    assert not result.not_asked
    assert result.differences == "", f"expected from {result.source}"


@pytest.mark.parametrize("facts", ["ESP32_GENERIC_C3", "ESP32_GENERIC_C6", "ESP32_GENERIC_S3"])
def test_a_board_with_another_chip_keeps_its_own(facts: str) -> None:
    with emulated_stage(facts=facts) as (wire, stage):
        for name in ("chip", "timers", "network"):
            assert run_probe(wire, ALL[name], stage).differences == ""
        left_out = read_omissions(wire.chip)
        assert ask_stubs(wire, left_out, "esp32").differences == ""
        assert "this is an esp32" in run_probe(wire, ALL["pins"], stage).not_asked


def test_every_probe_says_where_it_is_known_from() -> None:
    assert len(ALL) >= 20
    assert all(len(probe.source) > 10 for probe in ALL.values())


def mutated(folder: Path, file: str, before: str, after: str) -> Path:
    for path in SHIMS.rglob("*.py"):
        text = path.read_text()
        name = str(path.relative_to(SHIMS))
        if name == file:
            assert text.count(before) == 1
            text = text.replace(before, after)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def short_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that is broken may never answer: that is a difference, too."""
    monkeypatch.setattr("muster_harness.contract.wire._RUN_S", 1.5)
    monkeypatch.setattr("muster_harness.contract.wire._TYPE_S", 1.5)


@pytest.mark.parametrize("mutation", IN_SHIMS)
def test_a_quirk_that_the_shims_lack_is_noticed(
    tmp_path: Path, mutation: str, short_of_patience: None
) -> None:
    file, before, after, noticing = IN_SHIMS[mutation]
    with emulated_stage(mutated(tmp_path, file, before, after)) as (wire, stage):
        assert run_probe(wire, ALL[noticing], stage).differences != ""


@pytest.mark.parametrize("mutation", BEHIND_THEM)
def test_a_quirk_that_the_board_lacks_is_noticed(
    monkeypatch: pytest.MonkeyPatch, mutation: str, short_of_patience: None
) -> None:
    break_it, noticing = BEHIND_THEM[mutation]
    break_it(monkeypatch)
    with emulated_stage() as (wire, stage):
        assert run_probe(wire, ALL[noticing], stage).differences != ""


def test_every_probe_can_notice_something() -> None:
    noticing = {row[-1] for row in IN_SHIMS.values()} | {row[-1] for row in BEHIND_THEM.values()}
    assert set(ALL) - noticing == set()


def test_a_wrong_constant_is_noticed_by_the_stubs(tmp_path: Path) -> None:
    shims = mutated(tmp_path, "pin.py", "OPEN_DRAIN = 7", "OPEN_DRAIN = 6")
    with emulated_stage(shims) as (wire, _):
        seen = ask_stubs(wire, read_omissions(), "machine").differences
    assert "machine.Pin.OPEN_DRAIN is 6, not 7" in seen


def contract(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "muster_harness.contract", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_board_behind_a_port_is_recorded_and_its_differences_shown(tmp_path: Path) -> None:
    """`make contract PORT=…` does this, here with a board that calls itself something else."""
    shims = tmp_path / "shims"
    shims.mkdir()
    mutated(
        shims,
        "machine.py",
        "must be 20MHz, 40MHz, 80Mhz, 160",
        "has to be 20MHz, 40MHz, 80Mhz, 160",
    )
    with EmulatedBoard(tmp_path / "board", shims=shims) as board:
        board.power_on()
        board.expect(rb">>> ")
        done = contract("--port", board.port, "--record", str(tmp_path), "chip", "errno")
    assert done.returncode == 1, done.stderr
    assert "same      errno" in done.stdout and "1 of 2 as expected" in done.stdout
    assert "-frequency must be 20MHz, 40MHz" in done.stdout
    assert "+frequency has to be 20MHz, 40MHz" in done.stdout
    assert "expected from ports/esp32/modmachine.c" in done.stdout
    assert 'titled "contract: <your board>"' in done.stdout
    recorded = (tmp_path / "muster-emulated-board-with-esp32--v1-29-0-preview.txt").read_text()
    assert "== errno (expected from newlib's sys/errno.h" in recorded
    assert "+frequency has to be" in recorded


def test_a_real_board_is_asked_for_what_the_emulated_one_leaves_out() -> None:
    ours, real = read_omissions(), read_omissions(of_real_boards=True)
    assert ours.covers("esp32.ULP.run") and not real.covers("esp32.ULP.run")
    assert ours.covers("network.WLANWiPy") and real.covers("network.WLANWiPy")


def test_what_cannot_be_tried_is_said_with_a_way_out(board: EmulatedBoard) -> None:
    done = contract("nonsense")
    assert done.returncode == 2 and "no probe nonsense; there are air_address" in done.stderr
    done = contract("--port", "/dev/absent")
    assert done.returncode == 2 and "/dev/absent" in done.stderr
    with Wire(board.port) as wire:
        wire.exec("open('main.py', 'w').close()")
        with pytest.raises(BoardError, match=r"has a main\.py.*mpremote cp"):
            require_free(wire)


@pytest.mark.parametrize("how", ["run", "type"])
def test_a_probe_that_prints_for_ever_ends(
    board: EmulatedBoard, monkeypatch: pytest.MonkeyPatch, how: Literal["run", "type"]
) -> None:
    monkeypatch.setattr("muster_harness.contract.wire._LONGEST_S", 0.5)
    with Wire(board.port) as wire:
        with pytest.raises(BoardError, match=r"printing for 0\.5 s"):
            wire.see(Step(how, """exec("while True: print('x' * 50)")""", ""))
        monkeypatch.undo()
        wire.start_anew()
        assert wire.eval("6 * 7") == 42


@pytest.mark.parametrize(
    "text",
    [
        "# From: nowhere\n>>> run\nprint(1)\n",
        "# What\n>>> run\nprint(1)\n<<<\n1\n",
        "# From: nowhere, and no desk has an air\n>>> air\nhome.remove()\n<<<\n",
    ],
)
def test_a_malformed_probe_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.probe").write_text(text)
    with pytest.raises(HarnessError, match=r"odd\.probe is no probe: it needs"):
        load_probes(tmp_path)
    assert load_probes(PROBES)


def test_a_difference_shows_only_what_differs() -> None:
    assert difference("a ... c\n...\nz\n", "a b c\n1\n2\nz\n") == ""
    assert difference("", "") == ""
    shown = difference("a ...\nb\n", "a 1\nc\n")
    assert "-b\n+c\n" in shown and "-a" not in shown


def test_a_desk_is_asked_what_it_can_be_and_told_what_would_help(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    """A desk has a real board: behind a port, once without and once with a network."""
    port = ["--port", board.port, "--record", str(tmp_path), "--stubs", str(tmp_path / "none")]
    done = contract(*port, "join", "air_scan")
    assert done.returncode == 0, done.stderr
    assert "stubs     not checked: there is no" in done.stdout
    assert "not asked join: it joins a network; name a rig file" in done.stdout
    assert "not asked air_scan: it scripts what no desk has; known from ports/esp32" in done.stdout
    assert "0 of 0 as expected" in done.stdout
    home = board.air.add_access_point("home", password="correct horse")
    rig = tmp_path / "rig.toml"
    rig.write_text(
        '[network.guests]\nssid = "guests"\naddress = "10.0.0.1"\n'
        f'[network.home]\nssid = "home"\npassword = "correct horse"\naddress = "{home.gateway}"\n'
    )
    done = contract(*port, "--rig", str(rig), "join", "wrong_password")
    assert "2 of 2 as expected" in done.stdout, done.stdout + done.stderr
    (recorded,) = tmp_path.glob("*.txt")
    assert "correct horse" not in done.stdout + recorded.read_text()


class Vanishing:
    """A port that goes when its board resets, as USB of a chip's own does, and comes back."""

    def __init__(self, port: str) -> None:
        self._port = int(port.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self.went = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                client, _ = self._listener.accept()
                with client, socket.create_connection(("127.0.0.1", self._port)) as board:
                    there = threading.Thread(target=self._copy, args=(client, board), daemon=True)
                    there.start()
                    self._copy(board, client)
                    client.shutdown(socket.SHUT_RDWR)
                    there.join()
        except OSError:
            pass  # the test is over

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(4096):
            if b"rst:0x" in data:
                self.went += 1
                return
            target.sendall(data)


def test_a_board_that_vanishes_at_its_reset_is_asked_on(board: EmulatedBoard) -> None:
    with TCPPort(board.port) as tcp:
        port = Vanishing(tcp.url)
        try:
            with Wire(port.url) as wire:
                result = run_probe(wire, ALL["rtc_memory"], Stage())
        finally:
            port.close()
    assert (result.differences, port.went > 1) == ("", True)

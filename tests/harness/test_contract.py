# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The emulated board answers every probe as an ESP32 does, and a broken quirk is noticed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.contract.oracle import read_omissions
from harness.contract.probe import PROBES, difference, load_probes
from harness.contract.suite import ask_stubs, emulated_wire, require_free, run_probe
from harness.contract.wire import Wire
from harness.emulated import EmulatedBoard
from harness.errors import BoardError, HarnessError
from harness.shim_cache import SHIMS

ALL = {probe.name: probe for probe in load_probes()}
# file, what it says, what it is made to say, and the probe that has to notice
MUTATIONS = {
    "the epoch is 1970": (
        "time.py",
        "_EPOCH_S = const(946684800)",
        "_EPOCH_S = const(0)",
        "clock",
    ),
    "ticks wrap elsewhere": ("clock.py", "PERIOD = 1 << 30", "PERIOD = 1 << 31", "ticks"),
    "errno is Linux's": ("newlib_errno.py", "ETIMEDOUT = 116", "ETIMEDOUT = 110", "errno"),
    "a timer prints its mode": ("timer.py", '"ONE_SHOT" if', '"ONE_SHOT" if not', "timers"),
    "a long host name passes": ("network.py", "(name[0])) > 32", "(name[0])) > 64", "network"),
    "sendto takes names": (
        "socket.py",
        "addresses.numeric(address[0])",
        "addresses.resolve(address[0])",
        "sockets_alone",
    ),
    "connect() takes keywords": (
        "network.py",
        "bssid=None):",
        "bssid=None, **k):",
        "wlan_settings",
    ),
    "PWM is exact": ("pwm.py", "duty >> 16 - bits << 16 - bits", "duty", "pwm"),
    "RTC memory has no end": (
        "machine.py",
        "(data[0])) > 2048",
        "(data[0])) > 4096",
        "rtc_memory",
    ),
}


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with emulated_wire() as made:
        yield made


@pytest.mark.parametrize("name", ALL)
def test_the_emulated_board_keeps_the_contract(wire: Wire, name: str) -> None:
    result = run_probe(wire, ALL[name])
    assert result.differences == "", f"expected from {result.source}"


def test_every_probe_says_where_it_is_known_from() -> None:
    assert len(ALL) >= 20
    assert all(len(probe.source) > 10 for probe in ALL.values())


def mutated(folder: Path, file: str, before: str, after: str) -> Path:
    for path in SHIMS.glob("*.py"):
        text = path.read_text()
        if path.name == file:
            assert text.count(before) == 1
            text = text.replace(before, after)
        (folder / path.name).write_text(text)
    return folder


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_broken_quirk_is_noticed(tmp_path: Path, mutation: str) -> None:
    file, before, after, noticing = MUTATIONS[mutation]
    with emulated_wire(mutated(tmp_path, file, before, after)) as wire:
        assert run_probe(wire, ALL[noticing]).differences != ""


def test_a_wrong_constant_is_noticed_by_the_stubs(tmp_path: Path) -> None:
    with emulated_wire(mutated(tmp_path, "pin.py", "OPEN_DRAIN = 7", "OPEN_DRAIN = 6")) as wire:
        seen = ask_stubs(wire, read_omissions(), "machine").differences
    assert "machine.Pin.OPEN_DRAIN is 6, not 7" in seen


def contract(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness.contract", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_board_behind_a_port_is_recorded_and_its_differences_shown(tmp_path: Path) -> None:
    """As `make contract PORT=…` does it, with a board that calls itself something else."""
    shims = tmp_path / "shims"
    shims.mkdir()
    mutated(shims, "machine.py", "frequency must be 20MHz", "frequency has to be 20MHz")
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
    assert ours.covers("machine.I2C.scan") and not real.covers("machine.I2C.scan")
    assert ours.covers("network.WLANWiPy") and real.covers("network.WLANWiPy")


def test_what_cannot_be_tried_is_said_with_a_way_out(board: EmulatedBoard) -> None:
    done = contract("nonsense")
    assert done.returncode == 2 and "no probe nonsense; there are arguments, chip" in done.stderr
    done = contract("--port", "/dev/absent")
    assert done.returncode == 2 and "/dev/absent" in done.stderr
    with Wire(board.port) as wire:
        wire.exec("open('main.py', 'w').close()")
        with pytest.raises(BoardError, match=r"has a main\.py.*mpremote cp"):
            require_free(wire)


def test_a_malformed_probe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "odd.probe").write_text("# From: nowhere\n>>> run\nprint(1)\n")
    with pytest.raises(HarnessError, match=r"odd\.probe is no probe: it needs"):
        load_probes(tmp_path)
    assert load_probes(PROBES)


def test_a_difference_shows_only_what_differs() -> None:
    assert difference("a ... c\n...\nz\n", "a b c\n1\n2\nz\n") == ""
    assert difference("", "") == ""
    shown = difference("a ...\nb\n", "a 1\nc\n")
    assert "-b\n+c\n" in shown and "-a" not in shown

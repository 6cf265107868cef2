# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A bundle carried by a person: copied onto the board with mpremote, found at its next start,
tried, acknowledged. Whatever is wrong with it, the device goes on as before and says what."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness import cli
from muster_harness.bench.bundle_link import BundleLink
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.power_cuts import record
from tests.system.carried import DEVICE_ID, SECRET, Carried, OwnNetwork
from tests.wire import bundles
from tests.wire.receipts import receipt

NAME = f"{DEVICE_ID}.muster"
_CUTS = 4
_SETTLED_S = 30.0


@pytest.fixture
def blank(own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path) -> Iterator[Carried]:
    with Carried(own_network, tmp_path / "board", labelled_flash) as carried:
        yield carried


def test_a_bundle_that_is_copied_is_applied_at_the_next_start(
    blank: Carried, own_network: OwnNetwork
) -> None:
    text = own_network.bundle()
    blank.board.power_on()
    blank.copy(text)
    blank.board.reset()
    blank.board.expect(rb"life committed version 1,", 20)
    assert blank.outcome(text) == (1, "ok")
    blank.board.expect(rb"step 9 ok|", 1)
    assert NAME not in blank.files()


@pytest.fixture(scope="module")
def running(
    own_network: OwnNetwork, tmp_path_factory: pytest.TempPathFactory, labelled_flash: Path
) -> Path:
    """A board that runs on version 5, which it has from a bundle."""
    directory = tmp_path_factory.mktemp("running") / "board"
    with Carried(own_network, directory, labelled_flash) as carried:
        carried.board.power_on()
        carried.copy(own_network.bundle(own_network.config(5)))
        carried.board.reset()
        carried.board.expect(rb"bundle receipt", 20)
    return directory


@pytest.fixture
def committed(own_network: OwnNetwork, tmp_path: Path, running: Path) -> Iterator[Carried]:
    with Carried(own_network, tmp_path / "board", running) as carried:
        yield carried


def _brought(carried: Carried, text: str, name: str = NAME) -> None:
    carried.board.power_on()
    carried.copy(text, name)
    carried.board.reset()


def test_a_newer_one_replaces_what_a_device_runs_on(
    committed: Carried, own_network: OwnNetwork
) -> None:
    text = own_network.bundle(own_network.config(6))
    _brought(committed, text)
    committed.board.expect(rb"life committed version 6,", 20)
    assert committed.outcome(text) == (6, "ok")


def test_a_device_that_runs_tries_it_again_after_a_power_cut_in_its_trial(
    committed: Carried, own_network: OwnNetwork
) -> None:
    text = own_network.bundle(own_network.config(6))
    _brought(committed, text)
    committed.board.expect(rb"step 7 ok", 20)
    committed.board.power_off()
    committed.board.power_on()
    committed.board.expect(rb"step 7 power_lost|step 8 power_lost", 20)
    committed.board.expect(rb"life committed version 6,", 30)
    assert committed.outcome(text) == (6, "ok")


def _bad(network: OwnNetwork) -> dict[str, tuple[str, str, str]]:
    """By name: a bundle, its code and what the device says of it."""
    good = network.bundle(network.config(9))
    parts = good.split(".")
    flipped = {
        part: ".".join([*parts[:n], bundles.flipped(good, n, 7).split(".")[n], *parts[n + 1 :]])
        for n, part in ((2, "vector"), (3, "ciphertext"), (4, "tag"))
    }
    other = bundles.header("PRESS-5")
    content = bundles.plaintext(network.config(9))
    unsigned = bundles.made(content, bundles.header(alg="none"))
    return {
        "of-another-device": (bundles.made(content, other), "server_untrusted", "kid: "),
        "of-a-reissued-label": (
            network.bundle(network.config(9), secret=bundles.REISSUED_SECRET),
            "server_untrusted",
            "tag: ",
        ),
        **{f"bit-in-the-{p}": (t, "server_untrusted", "tag: ") for p, t in flipped.items()},
        "cut-off": (good[: len(good) // 2], "config_invalid", "bundle: "),
        "garbage": ("garbage " * 2500, "config_invalid", "bundle: longer"),
        "alg-none": (unsigned, "config_invalid", "header: "),
        "older": (network.bundle(network.config(4)), "config_not_newer", "config.version: "),
        "equal": (network.bundle(network.config(5)), "config_not_newer", "config.version: "),
    }


def test_whatever_is_wrong_it_is_said_and_the_device_goes_on(
    committed: Carried, own_network: OwnNetwork
) -> None:
    bad = sorted(_bad(own_network).items())
    board = committed.board
    board.power_on()
    committed.copy_all({f"{name}.muster": text for name, (text, _, _) in bad})
    board.reset()
    for name, (_, code, detail) in bad:  # one after the other, in the order of their names
        said = board.expect(rb"step 6 (\w+) \d+ms ([^\r\n]*)", 20)
        assert said[1].decode() == code, name
        assert said[2].decode().startswith(detail), name
    board.expect(rb"step 9 ok", 20)
    assert b"committed version" not in board.output
    left = {name for name in committed.files() if not name.startswith(".") and ".muster" in name}
    # Neither what was good in its time, nor what is far too long to be a bundle.
    refused = {name for name, (_, code, _) in bad if code != "config_not_newer"} - {"garbage"}
    assert left == {f"{name}.muster.bad" for name in refused}


def test_a_bundle_that_is_deployed_is_applied_at_the_first_start(
    own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path
) -> None:
    text = own_network.bundle()
    file = tmp_path / "for-press-4.txt"
    file.write_text(text)
    with Carried(own_network, tmp_path / "board", labelled_flash) as carried:
        board = carried.board
        board.power_on()
        command = ["deploy", "--port", board.port, "--model", "press", "--bundle"]
        assert cli.main([*command, str(Path(__file__))]) == 5  # this is none: nothing is touched
        assert cli.main([*command, str(file), "--force"]) == 0
        assert NAME in carried.files()
        board.reset()
        assert carried.outcome(text) == (1, "ok")


def test_a_power_cut_anywhere_while_it_is_applied_costs_nothing_but_time(
    own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path
) -> None:
    text = own_network.bundle()
    with Carried(own_network, tmp_path / "board", labelled_flash) as carried:
        board = carried.board
        board.power_on()
        carried.copy(text)
        board.power_off()

        def applying(board: EmulatedBoard) -> None:
            board.power_on()
            board.expect(rb"bundle receipt", 30)

        recording = record(board, applying)
        cuts = list(recording.cuts("whole"))
        # Each flash operation is cut on a simulated flash (tests/firmware/on_board/
        # test_delivery.py); here a few are, on a whole device.
        for cut in cuts[:: len(cuts) // _CUTS]:
            cut.put_on(board)
            board.power_on()
            assert _settled(board.port) == ("ok", receipt(DEVICE_ID, SECRET, 1, "ok", text)), cut
            board.power_off()


def _settled(port: str) -> tuple[str | None, str | None]:
    """Code and receipt, as the device has recorded them for good."""
    deadline = time.monotonic() + _SETTLED_S
    with BundleLink(port) as link:
        while True:
            status = link.status()
            if status.code and status.doing == "idle" or time.monotonic() > deadline:
                return status.code, status.receipt
            time.sleep(0.1)

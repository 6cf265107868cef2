# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board is one for this firmware, and takes it."""

from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.units.unit import Unit
from muster_harness.wire.probe import check_board, guess_board, probe
from tests.flash import ROOT


def test_the_board_is_one_that_the_firmware_runs_on(hil_unit: Unit) -> None:
    with hil_unit.repl(soft_reset=True) as repl:
        info = probe(repl)
    facts = guess_board(info)
    assert facts, f"no board file fits a {info.machine}; see docs/adding-a-board.md"
    check_board(info, facts, "mpy")


def test_the_firmware_is_deployed_and_verified(hil_unit: Unit) -> None:
    with hil_unit.released() as port:
        again = deploy_firmware(port, ROOT / "firmware", build={"model": "press"})
    assert again.sent == again.removed == ()
    with hil_unit.repl(soft_reset=True) as repl:
        assert probe(repl).firmware

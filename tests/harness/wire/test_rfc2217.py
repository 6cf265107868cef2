# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board behind rfc2217://, as terminal servers and esptool's server offer it."""

import json

import pytest

from muster_harness.bench.bundle_link import BundleLink
from muster_harness.cli import main
from muster_harness.errors import BoardError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.wire.rfc2217_server import behind_rfc2217

# pyserial 3.5 starts its reader in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")


def test_a_board_behind_rfc2217_answers(
    board: EmulatedBoard, capsys: pytest.CaptureFixture[str]
) -> None:
    with behind_rfc2217(board) as server:
        assert main(["info", "--port", server.url, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["micropython"].startswith("1.29")


def test_code_runs_on_a_board_behind_rfc2217(board: EmulatedBoard) -> None:
    with behind_rfc2217(board) as server, REPL(server.url) as repl:
        assert repl.eval("6 * 7") == 42


def test_a_device_behind_rfc2217_is_asked_for_its_bundle(board: EmulatedBoard) -> None:
    with (
        behind_rfc2217(board) as server,
        BundleLink(server.url, hello_s=0.5) as link,
        pytest.raises(BoardError, match="is the application running"),  # it is at its prompt
    ):
        link.status()
